"""What a model may call in a run: the shape of a tool, the tools that Parley brings, and how calls are executed. Which
steps a run makes with them is `chat.steps`."""
