namespace Mesh.DataPlane.L7.Tls;

/// <summary>
/// The handshakes that are under way, a limited number: one more cuts off the oldest. A client that means it is done in
/// milliseconds, so of many that stall it is they who lose their place, and not whoever comes next. Those whose hello is not
/// whole lose it first, as nothing was done for them yet, until a quarter of the places is left to them: else whoever stalls
/// after a hello would keep the port closed to all who have yet to send theirs.
/// </summary>
internal sealed class HandshakeGate(int most)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Handshake> _silent = new(); // their hello is not whole
    private readonly LinkedList<Handshake> _speaking = new();

    public LinkedListNode<Handshake> Enter(Handshake handshake)
    {
        LinkedListNode<Handshake> entered;
        Handshake? oldest = null;
        lock (_gate)
        {
            entered = _silent.AddLast(handshake);
            if (_silent.Count + _speaking.Count > most)
            {
                var losing = _speaking.Count == 0 || _silent.Count > Math.Max(1, most / 4) ? _silent : _speaking;
                oldest = losing.First!.Value;
                losing.RemoveFirst();
            }
        }

        oldest?.Cut(HandshakeResult.CrowdedOut);
        return entered;
    }

    /// <summary>Its hello is whole.</summary>
    public void Hear(LinkedListNode<Handshake> entered)
    {
        lock (_gate)
        {
            if (entered.List is not null) // it may have lost its place
            {
                _silent.Remove(entered);
                _speaking.AddLast(entered);
            }
        }
    }

    public void Leave(LinkedListNode<Handshake> entered)
    {
        lock (_gate)
        {
            entered.List?.Remove(entered);
        }
    }
}
