namespace Mesh.Grains.Events;

/// <summary>What a grain found about its object and tells once, as an Event, for as long as it stays so.</summary>
/// <param name="Reason">One CamelCase word: of <c>RefusalReason</c> or of <c>NotRouted</c>, or one of the grain's own.</param>
internal sealed record Finding(string Reason, string Message);
