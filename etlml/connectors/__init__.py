"""Where rows come from and where they go: one small module for each kind of source and sink."""
