namespace Mesh.Grains.Pods;

/// <summary>The newest uids of one name that have ended: a late report of theirs brings none back.</summary>
internal sealed class EndedUids
{
    private const int Kept = 16;

    private readonly Queue<string> _order = new();

    public void Add(string uid)
    {
        if (Contains(uid))
        {
            return;
        }

        _order.Enqueue(uid);
        if (_order.Count > Kept)
        {
            _order.Dequeue();
        }
    }

    public bool Contains(string uid) => _order.Contains(uid);
}
