FROM python:3.12-slim AS build
COPY requirements.lock ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 gallery
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 ENVIRONMENT=production DATA=/home/gallery/data
COPY --from=build /venv /venv
WORKDIR /srv
COPY --chown=gallery . .
RUN JWT_SECRET=only-while-the-image-is-built-000000 python manage.py collectstatic --no-input
USER gallery
EXPOSE 8000
HEALTHCHECK CMD python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/live')"
CMD ["gunicorn", "--config", "gunicorn.conf.py", "gallery_project.wsgi"]
