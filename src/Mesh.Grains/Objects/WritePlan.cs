using Mesh.Grains.Abstractions.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Objects;

/// <summary>What a grain wants to do to its object, decided from the newest state and nothing else.</summary>
public abstract record WritePlan
{
    private WritePlan()
    {
    }

    /// <summary>Stores the document, and with it what else must hold or change.</summary>
    /// <param name="Result">What the caller is told once it is stored.</param>
    public sealed record Put(ReadOnlyMemory<byte> Document, IReadOnlyList<Write> Also, ObjectResult Result = ObjectResult.Committed) : WritePlan;

    /// <summary>Removes the object, and with it what belongs to it.</summary>
    public sealed record Delete(IReadOnlyList<Write> Also) : WritePlan;

    /// <summary>Nothing to write: the object is as wanted.</summary>
    public sealed record Keep : WritePlan;

    /// <summary>Answered so, and nothing changes.</summary>
    public sealed record Refuse(ObjectReply Reply) : WritePlan;
}

/// <summary>What a kind of object adds to the shared write path.</summary>
public interface IObjectRules
{
    /// <summary>Called anew each time that the state proved to be another.</summary>
    WritePlan Plan(ObjectRequest request, StoredObject? current);

    /// <summary>One of the writes that the plan added did not hold. Null: plan again.</summary>
    ObjectReply? Explain(ObjectRequest request, CommitOutcome.Failed failed);
}
