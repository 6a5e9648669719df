using Mesh.Grains.Abstractions.Nodes;

namespace Mesh.Grains.Pods;

/// <summary>The newest Pods of one name that have ended, as their node said: a late report of theirs brings none back.</summary>
internal sealed class EndedPods
{
    private const int Kept = 16;

    private readonly Queue<PodReport> _ends = new();

    public void Add(PodReport end)
    {
        if (Contains(end.Uid))
        {
            return;
        }

        _ends.Enqueue(end with { Document = default });
        if (_ends.Count > Kept)
        {
            _ends.Dequeue();
        }
    }

    public bool Contains(string uid) => Find(uid) is not null;

    public PodReport? Find(string uid) => _ends.FirstOrDefault(end => end.Uid == uid);
}
