"""The steps that ask models: each plugs into the step of its name, which goes on without it where it has no answer."""
