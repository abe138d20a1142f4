"""The key server as a process: settings, workers, drain. The skin is the relay's.

    _settings     what can be set
    _worker       one process
    _serve        the processes

Not here: what a call does (_keyserver/_desk.py); uvicorn, metrics, logs (relay/_server/).
"""
