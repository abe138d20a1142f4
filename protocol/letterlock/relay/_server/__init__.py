"""The relay as a server: HTTP and WebSocket over uvicorn, settings, worker processes, metrics, logs, pages.

    _settings              what can be set, and where it is set
    _supervisor, _worker   the processes
    _application           which path leads where
    _calls, _socket        the calls, and the socket that pushes mail
    _connection            what one connection may do to the process
    _metrics, _logs        what operators see

Not here: what a call does (the relay's core), databases.
"""
