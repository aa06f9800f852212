"""The OpenAI-compatible door: any OpenAI client talks to the models of a workspace, under its rules and with its
credentials. Answers stream straight through; the client owns their text, and only a run's facts are kept."""
