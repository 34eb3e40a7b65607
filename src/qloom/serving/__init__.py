"""A trained model behind HTTP: `qloom serve RUN`."""
