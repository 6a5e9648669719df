namespace Mesh.DataPlane.L7.Tls;

/// <summary>
/// The handshakes that are under way, a limited number: one more cuts off the oldest. A client that means it is done in
/// milliseconds, so of many that stall it is they who lose their place, and not whoever comes next.
/// </summary>
internal sealed class HandshakeGate(int most)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Handshake> _underWay = new();

    public LinkedListNode<Handshake> Enter(Handshake handshake)
    {
        LinkedListNode<Handshake> entered;
        Handshake? oldest = null;
        lock (_gate)
        {
            entered = _underWay.AddLast(handshake);
            if (_underWay.Count > most)
            {
                oldest = _underWay.First!.Value;
                _underWay.RemoveFirst();
            }
        }

        oldest?.Cut(HandshakeResult.CrowdedOut);
        return entered;
    }

    public void Leave(LinkedListNode<Handshake> entered)
    {
        lock (_gate)
        {
            if (entered.List is not null)
            {
                _underWay.Remove(entered);
            }
        }
    }
}
