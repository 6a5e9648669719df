using System.Collections.Concurrent;
using Mesh.Testing;
using Xunit;

namespace Mesh.EndToEnd.Tests.Packages;

/// <summary>Asks applications without a pause, and keeps which Pod of the other one answered them.</summary>
internal sealed class AskedPods : IAsyncDisposable
{
    private const int AtOnce = 2;

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });
    private readonly CancellationTokenSource _enough = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly Task _asking;
    private ConcurrentDictionary<string, int> _answered = new();

    public AskedPods(params Uri[] applications) =>
        _asking = Task.WhenAll(applications.SelectMany(url => Enumerable.Repeat(url, AtOnce)).Select(AskAsync));

    /// <summary>From now on, each of these answers twenty times; others may too.</summary>
    public async Task AnswersAsync(params string[] pods)
    {
        Interlocked.Exchange(ref _answered, new ConcurrentDictionary<string, int>());
        await Eventually.Meets(
            $"answers of {string.Join(", ", pods)}",
            _ => Task.FromResult(Volatile.Read(ref _answered)),
            answered => pods.All(pod => answered.GetValueOrDefault(pod) >= 20),
            TimeSpan.FromSeconds(60));
    }

    public async Task<IReadOnlyCollection<string>> FailuresAsync()
    {
        await _enough.CancelAsync();
        await _asking;
        return _failures;
    }

    public async ValueTask DisposeAsync()
    {
        await FailuresAsync();
        _client.Dispose();
        _enough.Dispose();
    }

    private async Task AskAsync(Uri application)
    {
        // Until the first answer its Service and its Pods only come.
        var isServed = false;
        while (!_enough.IsCancellationRequested)
        {
            using var answer = await _client.GetAsync(application, TestContext.Current.CancellationToken);
            var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            isServed |= answer.IsSuccessStatusCode;
            if (answer.IsSuccessStatusCode)
            {
                Volatile.Read(ref _answered).AddOrUpdate(body, 1, static (_, count) => count + 1);
            }
            else if (isServed)
            {
                _failures.Enqueue(body);
            }
        }
    }
}
