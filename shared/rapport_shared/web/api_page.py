"""The page of an API, with its script and style served from here: it must open where there is no internet."""

from importlib.resources import files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response

from rapport_shared.web.routing import PUBLIC

# an SVG of our own, for the default one comes from elsewhere
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Ccircle cx='8' cy='8' r='7' fill='%23246'/%3E%3C/svg%3E"
)


def add_api_page(app: FastAPI) -> None:
    """Serves Swagger UI at `/docs`, over the application's OpenAPI document."""
    static = files("fastapi_offline") / "static"
    script = (static / "swagger-ui-bundle.js").read_bytes()
    style = (static / "swagger-ui.css").read_bytes()
    lasting = {"Cache-Control": "public, max-age=86400"}

    @app.get("/docs", dependencies=[PUBLIC], include_in_schema=False)
    async def page() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=app.title,
            swagger_js_url="/docs/swagger-ui.js",
            swagger_css_url="/docs/swagger-ui.css",
            swagger_favicon_url=_ICON,
        )

    @app.get("/docs/swagger-ui.js", dependencies=[PUBLIC], include_in_schema=False)
    async def swagger_script() -> Response:
        return Response(script, headers=lasting, media_type="text/javascript")

    @app.get("/docs/swagger-ui.css", dependencies=[PUBLIC], include_in_schema=False)
    async def swagger_style() -> Response:
        return Response(style, headers=lasting, media_type="text/css")
