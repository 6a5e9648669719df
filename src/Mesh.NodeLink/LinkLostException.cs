namespace Mesh.NodeLink;

/// <summary>The link ended while something was being told; nothing more will be delivered on it.</summary>
public sealed class LinkLostException(string session) : Exception($"The link session {session} has ended.");
