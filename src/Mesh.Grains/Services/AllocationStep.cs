using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Events;
using Mesh.Grains.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>One write of a Service, as far as allocations ask: what it was and what it is to be.</summary>
/// <param name="Before">Null when it is created.</param>
internal sealed record ServiceWrite(ReadOnlyMemory<byte> Document, Service Next, Service? Before, bool IsDryRun);

/// <summary>What one kind of allocation adds to a write of its Service.</summary>
internal abstract record AllocationStep
{
    private AllocationStep()
    {
    }

    public static AllocationStep Nothing { get; } = new Add([], []);

    /// <param name="Edits">Fields of the Service's document.</param>
    /// <param name="Writes">Rows that are taken or released in the same commit.</param>
    /// <param name="Found">What the Service's owner should hear.</param>
    public sealed record Add(IReadOnlyList<FieldEdit> Edits, IReadOnlyList<Write> Writes, params IReadOnlyList<Finding> Found) : AllocationStep;

    public sealed record Refuse(ObjectReply Reply) : AllocationStep;
}
