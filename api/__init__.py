"""The REST sidecar: every use case over HTTP."""
