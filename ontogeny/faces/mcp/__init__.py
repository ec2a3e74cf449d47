"""Steering for programs that speak the Model Context Protocol: tools, resources, and who may change what."""
