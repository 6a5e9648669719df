namespace Mesh.Grains.Nodes;

/// <summary>When a node counts as silent. Silence is no evidence: it ranks endpoints last, and ends Pods only much later.</summary>
public static class NodeLiveness
{
    /// <summary>How often a gateway grain tells its node's grain that the link lives.</summary>
    public static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(3);

    /// <summary>Without a word for this long the node's Ready condition turns Unknown.</summary>
    public static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Pods of a node that stays silent are deleted after this, counted by the activation that deletes them: one that
    /// moved, or a silo that starts in the morning, has heard nothing because it was not there.
    /// </summary>
    public static readonly TimeSpan PodsEndAfter = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Whether so many nodes are silent at once that the fault is more likely on our side: two or more, over 30 %.
    /// Then no Pod is deleted for its node's silence.
    /// </summary>
    public static bool IsMassSilence(int silent, int all) => silent >= 2 && silent * 10 > all * 3;
}
