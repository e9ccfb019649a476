# The same minor version as in render.yaml.
FROM python:3.12-slim AS build
COPY requirements.lock ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
WORKDIR /srv
COPY . .
# Compiled here, because nothing can be written there later.
RUN ENVIRONMENT=production DATA=/data JWT_SECRET=only-while-the-image-is-built-000000 \
    /venv/bin/python manage.py collectstatic --no-input && /venv/bin/python -m compileall -q .

FROM python:3.12-slim
RUN useradd --no-create-home --uid 10001 gallery && install -d -o gallery -m 700 /data
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ENVIRONMENT=production DATA=/data PORT=8000
COPY --from=build /venv /venv
COPY --from=build /srv /srv
WORKDIR /srv
USER gallery
EXPOSE 8000
# Past any proxy of the environment, at the port that gunicorn takes: 8000 where PORT is set to nothing.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD python -c "import os, urllib.request as r; \
port = os.environ['PORT'].strip() or '8000'; \
r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + port + '/health/live', timeout=4)"
CMD ["gunicorn", "--config", "gunicorn.conf.py", "gallery_project.wsgi"]
