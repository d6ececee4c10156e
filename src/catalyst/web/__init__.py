"""The service that clients see: WebSocket, REST, the page. `create_app` in `app.py` puts it together."""
