"""The system calls, which are plain views of Django, as operations of the OpenAPI document."""

from typing import Any

from gallery_project.openapi import Node

TEXT: Node = {"type": "string"}
NUMBER: Node = {"type": "integer"}
FLAG: Node = {"type": "boolean"}
MOMENT: Node = {"type": "string", "format": "date-time"}


def record(**properties: Node) -> Node:
    """An object that has all of these properties, and may have others."""
    return {"type": "object", "properties": properties, "required": list(properties)}


HEALTH: Node = {"type": "string", "enum": ["healthy", "degraded", "unhealthy"]}
PART = record(status=HEALTH)
LIMITS = record(
    default_page_size=NUMBER,
    max_page_size=NUMBER,
    max_file_size=NUMBER,
    max_megapixels=NUMBER,
    image_types={"type": "array", "items": TEXT},
)
COMPONENTS: Node = {
    "Home": record(name=TEXT, version=TEXT, links={"type": "object", "additionalProperties": TEXT}),
    "Health": record(
        status=HEALTH,
        version=TEXT,
        environment=TEXT,
        timestamp=MOMENT,
        checks=record(database=PART, storage=PART, data=PART, memory=PART, uptime={"type": "number"}),
    ),
    "Alive": record(status={"type": "string", "enum": ["alive"]}, version=TEXT),
    "Ready": record(status={"type": "string", "enum": ["ready"]}),
    "Filling": record(
        status={"type": "string", "enum": ["filling"]},
        progress={"type": "number", "minimum": 0, "maximum": 1},
    ),
    "Info": record(
        name=TEXT,
        version=TEXT,
        environment=TEXT,
        engines=record(database=TEXT, storage=TEXT),
        limits=LIMITS,
        features=record(public_catalogue=FLAG, registration_open=FLAG, docs=FLAG, metrics=FLAG),
        support_contact=TEXT,
        min_app_version=TEXT,
        privacy_url=TEXT,
        terms_url=TEXT,
    ),
}


def answer(description: str, kind: str, schema: Node) -> Node:
    return {"description": description, "content": {kind: {"schema": schema}}}


def of(name: str, description: str) -> Node:
    """A response whose body is a component."""
    return answer(description, "application/json", {"$ref": f"#/components/schemas/{name}"})


def operation(name: str, description: str, responses: Node, **more: Any) -> Node:
    return {
        "operationId": name,
        "description": description,
        "tags": ["system"],
        "responses": responses,
        **more,
    }


PATHS: Node = {
    "/": operation("home", "Name, version and links.", {"200": of("Home", "")}),
    "/health": operation(
        "health",
        "The health of the service and its parts.",
        {"200": of("Health", "Healthy or degraded."), "503": of("Health", "A needed part is down.")},
    ),
    "/health/live": operation(
        "health_live", "Whether the process responds. Checks nothing else.", {"200": of("Alive", "")}
    ),
    "/health/ready": operation(
        "health_ready",
        "Whether this host can answer reads.",
        {"200": of("Ready", ""), "503": of("Filling", "Its copy of the database is filled first.")},
    ),
    "/info": operation(
        "info", "Engines, limits, features, and what staff tell the app.", {"200": of("Info", "")}
    ),
    "/metrics": operation(
        "metrics",
        "Metrics for Prometheus, for METRICS_TOKEN as bearer token.",
        {
            "200": answer("", "text/plain", TEXT),
            "401": answer("No METRICS_TOKEN was sent.", "text/plain", TEXT),
            "404": answer("METRICS_TOKEN is not set.", "text/html", TEXT),
        },
        security=[{"bearer": []}],
    ),
    "/docs": operation("docs", "Swagger UI. In debug mode only.", {"200": answer("", "text/html", TEXT)}),
    "/openapi.json": operation(
        "openapi",
        "This document. In debug mode only.",
        {"200": answer("", "application/vnd.oai.openapi+json", {"type": "object"})},
    ),
}
