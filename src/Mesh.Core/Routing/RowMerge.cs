namespace Mesh.Core.Routing;

/// <summary>What to do with a row that arrives when one of its key is known already.</summary>
public enum RowMerge
{
    /// <summary>The known row stays as it is.</summary>
    Keep,

    /// <summary>The incoming row takes its place whole.</summary>
    Replace,

    /// <summary>Spec and liveness each from the row in which it is greater; an end that either tells counts.</summary>
    Mix,
}

/// <summary>The merge rule: no message lowers any part of a row.</summary>
public static class RowMerging
{
    /// <summary>
    /// Equal orders replace: a sender whose stream is followed may compute another row from the same facts (a Service's
    /// selector or ports changed), and only an equal row can undo what its predecessor said.
    /// </summary>
    public static RowMerge Decide(RowOrder known, RowOrder incoming)
    {
        if (known.CreatedVersion != incoming.CreatedVersion || !known.IsSameObject(incoming))
        {
            return known.Replaces(incoming) ? RowMerge.Keep : RowMerge.Replace;
        }

        var isSpecOlder = incoming.SpecVersion < known.SpecVersion;
        var isLivenessOlder = incoming.Liveness < known.Liveness;
        return (isSpecOlder, isLivenessOlder) switch
        {
            (false, false) => RowMerge.Replace,
            (true, false) when incoming.Liveness > known.Liveness => RowMerge.Mix,
            (false, true) when incoming.SpecVersion > known.SpecVersion => RowMerge.Mix,
            _ => RowMerge.Keep,
        };
    }

    /// <summary>The orders of a mixed row: the greater of each part.</summary>
    public static RowOrder Mix(RowOrder known, RowOrder incoming) => known with
    {
        SpecVersion = Math.Max(known.SpecVersion, incoming.SpecVersion),
        Liveness = Math.Max(known.Liveness, incoming.Liveness),
    };
}
