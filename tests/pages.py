"""The forms of a page, as a browser would send them."""

from html.parser import HTMLParser


class Form(HTMLParser):
    """The fields of the form with an id, or of the whole page."""

    def __init__(self, form_id=None):
        super().__init__()
        self.form_id, self.inside = form_id, form_id is None
        self.fields, self.text, self.select = {}, None, None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        name = attrs.get("name")
        if tag == "form" and self.form_id is not None:
            self.inside = attrs.get("id") == self.form_id
        if not self.inside:
            return
        if tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in attrs:
            self.fields[self.select] = attrs.get("value", "")
        elif tag == "textarea":
            self.text, self.fields[name] = name, ""
        elif tag == "input" and name:
            kind = attrs.get("type", "text")
            if kind in ("checkbox", "radio"):
                if "checked" in attrs:
                    self.fields[name] = attrs.get("value", "on")
            elif kind not in ("file", "submit", "button"):
                value, before = attrs.get("value", ""), self.fields.get(name)
                self.fields[name] = (
                    value if before is None else [*([before] if isinstance(before, str) else before), value]
                )

    def handle_endtag(self, tag):
        if tag == "select":
            self.select = None
        elif tag == "textarea":
            # A browser drops the line break after the tag, and sends those of the text as CR LF.
            self.fields[self.text] = self.fields[self.text].removeprefix("\n").replace("\n", "\r\n")
            self.text = None

    def handle_data(self, data):
        if self.text:
            self.fields[self.text] += data.replace("\r\n", "\n")


def fields_of(response, form_id=None):
    """{name: value} of the form with this id, with what a reader left as it was."""
    form = Form(form_id)
    form.feed(response.content.decode())
    return form.fields
