namespace Mesh.DataPlane.L7.Carrier;

/// <summary>
/// Notices an endpoint that takes requests and answers none of them, as a process does that is stopped: the kernel accepts on its
/// behalf. Only requests without a body count, as with one it may be the client who lets wait. From any thread, without a lock.
/// </summary>
internal sealed class EndpointSilence(TimeProvider time)
{
    /// <summary>So long at least it owes an answer, and has given none to anybody.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How often one request is given to an endpoint that is silent: its answer ends the silence.</summary>
    public static readonly TimeSpan TryEvery = TimeSpan.FromSeconds(10);

    private long _heard; // its last answer, or since when it owes the first one
    private long _nextTry;
    private int _owed;
    private int _isSilent;

    /// <summary>It has a request from here on, until <see cref="Answered"/> or <see cref="GaveNone"/>.</summary>
    public void Asked()
    {
        if (Volatile.Read(ref _owed) == 0)
        {
            Volatile.Write(ref _heard, time.GetTimestamp()); // before it owes anything: who looks in between is not to see an old answer
        }

        Interlocked.Increment(ref _owed);
    }

    public void Answered()
    {
        Heard();
        Interlocked.Decrement(ref _owed);
    }

    /// <summary>The head of any answer.</summary>
    public void Heard()
    {
        Volatile.Write(ref _heard, time.GetTimestamp());
        if (Volatile.Read(ref _isSilent) != 0)
        {
            Volatile.Write(ref _isSilent, 0);
        }
    }

    /// <summary>The attempt ended without an answer: nobody waits for it any more, and it may be silent all the same.</summary>
    public void GaveNone()
    {
        if (IsOverdue())
        {
            Begin();
        }

        Interlocked.Decrement(ref _owed);
    }

    /// <summary>Whether another endpoint is to be preferred.</summary>
    /// <param name="mayTry">Whether it may get this request all the same, once in <see cref="TryEvery"/>.</param>
    /// <param name="isNews">It has just become so.</param>
    public bool IsPassedOver(bool mayTry, out bool isNews)
    {
        isNews = false;
        if (Volatile.Read(ref _isSilent) == 0)
        {
            isNews = Volatile.Read(ref _owed) > 0 && IsOverdue() && Begin();
            return isNews;
        }

        var next = Volatile.Read(ref _nextTry);
        var now = time.GetTimestamp();
        return !mayTry || now < next || Interlocked.CompareExchange(ref _nextTry, After(now), next) != next;
    }

    private bool IsOverdue() => time.GetElapsedTime(Volatile.Read(ref _heard)) >= Patience;

    private bool Begin()
    {
        Volatile.Write(ref _nextTry, After(time.GetTimestamp()));
        if (Interlocked.Exchange(ref _isSilent, 1) != 0)
        {
            return false;
        }

        if (IsOverdue())
        {
            return true;
        }

        Volatile.Write(ref _isSilent, 0); // it has answered meanwhile
        return false;
    }

    private long After(long now) => now + (long)(TryEvery.TotalSeconds * time.TimestampFrequency);
}
