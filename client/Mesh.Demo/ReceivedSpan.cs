namespace Mesh.Demo;

/// <summary>One span of a trace, as somebody exported it.</summary>
/// <param name="Service">The <c>service.name</c> of the process that made it.</param>
/// <param name="ParentId">The span below which it stands; empty for the first of a trace.</param>
internal sealed record ReceivedSpan(string TraceId, string Id, string ParentId, string Service, string Name);
