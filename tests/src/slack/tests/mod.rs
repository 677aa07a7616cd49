//! The server, through plain HTTP and WebSocket clients.
