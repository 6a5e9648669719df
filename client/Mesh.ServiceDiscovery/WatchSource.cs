using Mesh.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.ServiceDiscovery;

/// <summary>What all watches of a process share: the way to the node, time, chance and the log.</summary>
internal sealed class WatchSource(NodeEndpoint endpoint, string node, TimeProvider time, Random random, ILogger log) : IDisposable
{
    /// <summary>A Service of a hundred thousand endpoints; whatever listens at the node's address must not fill this process.</summary>
    public const int MaxLine = 16 * 1024 * 1024;

    /// <summary>Failures in a row that are worth a line: two or three seconds, and a node that died is back within one.</summary>
    public const int FailuresTold = 6;

    /// <summary>A node that accepts connections and says nothing is as good as away.</summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>Questions under way at once, of those that cannot watch.</summary>
    private const int MostAsking = 8;

    private readonly Lock _oneThread = new();
    private int _hasToldNoRoom;

    public HttpClient Http { get; } = endpoint.CreateClient();

    /// <summary>To be released.</summary>
    public SemaphoreSlim Asking { get; } = new(MostAsking, MostAsking);

    public string Node => node;

    public TimeProvider Time => time;

    public ILogger Log => log;

    /// <summary>Doubled with each failure, and spread: a node that comes back is not asked by everybody at once.</summary>
    public TimeSpan Backoff(int failures)
    {
        var longest = ShortestPause * Math.Pow(2, Math.Clamp(failures - 1, 0, 10));
        lock (_oneThread)
        {
            return (longest < LongestPause ? longest : LongestPause) * (0.5 + (random.NextDouble() / 2));
        }
    }

    /// <summary>A quarter less to a quarter more: what began at once spreads out.</summary>
    public TimeSpan About(TimeSpan usual)
    {
        lock (_oneThread)
        {
            return usual * (0.75 + (random.NextDouble() / 2));
        }
    }

    /// <summary>Told once: it is the same for every Service.</summary>
    public void NoRoom(string why)
    {
        if (Interlocked.Exchange(ref _hasToldNoRoom, 1) == 0)
        {
            log.NoRoom(node, why, ServiceWatch.AskedEvery.TotalSeconds);
        }
    }

    public void Shuffle<T>(T[] list)
    {
        lock (_oneThread)
        {
            random.Shuffle(list);
        }
    }

    public void Dispose()
    {
        Http.Dispose();
        Asking.Dispose();
    }
}
