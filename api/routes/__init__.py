"""The routes, one file a noun: parse, call one service, return."""
