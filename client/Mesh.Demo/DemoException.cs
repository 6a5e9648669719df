namespace Mesh.Demo;

/// <summary>Something that the story cannot go on without did not happen.</summary>
internal sealed class DemoException(string message) : Exception(message);
