"""An example for every schema, made of an example for every name."""

from typing import Any

from gallery_project.openapi import Node

KEY = "designs/2026/01/1767225600_0f8fad5bd9cb469fa16570867728950e.jpg"
BY_NAME: Node = {
    "username": "meera.nair",
    "full_name": "Meera Nair",
    "contact": "+91 98765 43210",
    "password": "lotus-loom-42",
    "current_password": "lotus-loom-42",
    "new_password": "indigo-shuttle-7",
    "access_token": "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
    "refresh_token": "eyJhbGciOiJIUzI1NiJ9.e30.bmV4dA",
    "token_type": "bearer",
    "expires_in": 1800,
    "refresh_expires_in": 2592000,
    "user_agent": "DesignGallery/2.4.1 (Android)",
    "reason": "We could not tell which shop you are from.",
    "rejection_reason": None,
    "title": "Kanjivaram silk saree",
    "description": "Temple border in gold zari.",
    "category": "Saree",
    "style": "Kanjivaram",
    "colour": "Maroon",
    "fabric": "Silk",
    "occasion": "Wedding",
    "season": "All seasons",
    "designer_name": "Lakshmi Iyer",
    "collection_name": "Temple borders",
    "r2_object_key": KEY,
    "object_key": KEY,
    "avatar_object_key": KEY.replace("designs", "avatars"),
    "image_url": f"https://images.example.com/{KEY}",
    "url": f"https://images.example.com/{KEY}",
    "public_url": f"https://images.example.com/{KEY}",
    "upload_url": f"https://store.example.com/{KEY}?X-Amz-Signature=0f8fad",
    "avatar_url": None,
    "headers": {"Content-Type": "image/jpeg"},
    "dominant_colour": "#7a1f2b",
    "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
    "alt": "A maroon saree with a gold border",
    "width": 900,
    "height": 1200,
    "size": 482133,
    "next": "WyIwZjhmYWQ1YiIsMjBd.c2ln",
    "total": 1,
    "message": "Done.",
    "action": "design.update",
    "object_type": "design",
    "object_id": "42",
    "object_label": "Kanjivaram silk saree",
    "changes": {"title": ["Kanjivaram saree", "Kanjivaram silk saree"]},
    "settings": {"registration_open": True},
    "key": "registration_open",
    "value": "Silk",
    "name": "Design Gallery",
    "version": "1.0.0",
    "environment": "production",
    "progress": 0.4,
    "min_app_version": "2.4.1",
    "support_contact": "help@example.com",
    "privacy_url": "https://example.com/privacy",
    "terms_url": "https://example.com/terms",
}
BY_FORMAT: Node = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "uri": "https://example.com",
    "binary": "(bytes)",
}


def example_of(schema: Node, components: Node, name: str = "") -> Any:
    """Return a value that is valid for a schema; `name` is that of the property that has it."""
    if "$ref" in schema:
        return example_of(components[schema["$ref"].rpartition("/")[2]], components, name)
    if "enum" in schema:
        return schema["enum"][0]
    if "example" in schema:
        return schema["example"]
    if name in BY_NAME and fits(BY_NAME[name], schema):
        return BY_NAME[name]
    for key in ("allOf", "oneOf", "anyOf"):
        if key in schema:
            return example_of(schema[key][0], components, name)
    if schema.get("type") == "array":
        return [example_of(schema["items"], components, name)]
    if schema.get("type") in ("object", None):
        properties = schema.get("properties", {})
        return {key: example_of(inner, components, key) for key, inner in properties.items()}
    return simple(schema)


def fits(value: Any, schema: Node) -> bool:
    """Return whether a value is of the type of a schema."""
    if value is None:
        return bool(schema.get("nullable"))
    types = {
        str: ("string",),
        int: ("integer", "number"),
        float: ("number",),
        dict: ("object",),
    }
    return schema.get("type") in types[type(value)]


def simple(schema: Node) -> Any:
    """Return a value of a schema that is neither an array nor an object."""
    if "default" in schema:
        return schema["default"]
    if schema["type"] == "boolean":
        return True
    if schema["type"] in ("integer", "number"):
        return schema.get("minimum", 1)
    return BY_FORMAT.get(schema.get("format", ""), "text")
