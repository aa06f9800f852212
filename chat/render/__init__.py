"""From what a model wrote to what a browser shows; the only place that makes HTML of an answer."""
