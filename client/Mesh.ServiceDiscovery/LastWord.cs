using Microsoft.Extensions.Primitives;

namespace Mesh.ServiceDiscovery;

/// <summary>What the node said last of one name, for whoever waits for the first word or for another. It stays while the node is away.</summary>
internal sealed class LastWord : IDisposable
{
    private readonly WatchSource _source;
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ChangeSignal _signal;
    private readonly string _service;
    private readonly long _started;
    private ServiceWord _word = new ServiceWord.None("it has not answered yet");

    public LastWord(WatchSource source, string service)
    {
        (_source, _service) = (source, service);
        _signal = new ChangeSignal(source.Time, ServiceWatch.Coalesced, failed => source.Log.FollowerFailed(failed, service));
        _started = source.Time.GetTimestamp();
    }

    public ServiceWord Word => Volatile.Read(ref _word);

    /// <summary>Fires when there is another word. Read it before <see cref="Word"/>: then no change falls between.</summary>
    public IChangeToken Token => _signal.Token;

    /// <summary>In a row.</summary>
    public int Failures { get; private set; }

    /// <summary>Waits for the first word, within <see cref="ServiceWatch.FirstWait"/> of the beginning.</summary>
    public async ValueTask FirstAsync(CancellationToken stop)
    {
        var left = ServiceWatch.FirstWait - _source.Time.GetElapsedTime(_started);
        if (_first.Task.IsCompleted || left <= TimeSpan.Zero)
        {
            return;
        }

        try
        {
            await _first.Task.WaitAsync(left, _source.Time, stop);
        }
        catch (TimeoutException)
        {
            // The caller reads what there is.
        }
    }

    /// <summary>The node answered. What says the same as before is no change: its revision alone grows with every change of anything.</summary>
    public void Say(ServiceWord word)
    {
        if (Failures >= WatchSource.FailuresTold)
        {
            _source.Log.Back(_service);
        }

        Failures = 0;
        var before = Interlocked.Exchange(ref _word, word);
        if (before is ServiceWord.Known was && word is ServiceWord.Known now ? was.Service.SaysSame(now.Service) : before == word)
        {
            return;
        }

        if (word is ServiceWord.Missing missing)
        {
            _source.Log.Missing(missing.Why);
        }

        _signal.Fire();
        _first.TrySetResult(); // then: who has waited for this word is not told of it as of a change
    }

    public void Failed(string why)
    {
        if (Word is ServiceWord.None)
        {
            Volatile.Write(ref _word, new ServiceWord.None(why));
        }

        if (++Failures == WatchSource.FailuresTold)
        {
            var meanwhile = Word is ServiceWord.None ? "it cannot be called by name" : "its last word is used";
            _source.Log.Away(_source.Node, _service, why, meanwhile);
        }
    }

    public void Dispose() => _signal.Dispose();
}
