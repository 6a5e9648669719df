using Xunit;

namespace Mesh.Testing;

/// <summary>Waits for something that becomes true by itself; only end-to-end tests need it.</summary>
public static class Eventually
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>Asks until the answer is the expected one; a failure tells what was seen last, and the last refusal to answer.</summary>
    public static async Task Is<T>(string what, Func<CancellationToken, Task<T>> observe, T expected, TimeSpan within)
    {
        var last = await Until(observe, seen => EqualityComparer<T>.Default.Equals(seen, expected), within);
        Assert.True(last.IsMet, $"{what}: expected {expected} within {within.TotalSeconds} s, but saw {last.Seen}");
    }

    public static Task Is<T>(string what, Func<T> observe, T expected, TimeSpan within) =>
        Is(what, _ => Task.FromResult(observe()), expected, within);

    /// <summary>As <see cref="Is{T}(string, Func{T}, T, TimeSpan)"/>, for what no single value describes.</summary>
    public static async Task<T> Meets<T>(string what, Func<CancellationToken, Task<T>> observe, Func<T, bool> expected, TimeSpan within)
    {
        var last = await Until(observe, expected, within);
        Assert.True(last.IsMet, $"{what}: not within {within.TotalSeconds} s; saw {last.Seen}");
        return last.Value!;
    }

    private static async Task<(bool IsMet, string Seen, T? Value)> Until<T>(Func<CancellationToken, Task<T>> observe, Func<T, bool> expected, TimeSpan within)
    {
        var test = TestContext.Current.CancellationToken;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(test);
        limit.CancelAfter(within);
        var seen = "nothing";
        while (true)
        {
            try
            {
                var value = await observe(limit.Token);
                if (expected(value))
                {
                    return (true, "", value);
                }

                seen = value?.ToString() ?? "null";
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or System.Net.Sockets.SocketException)
            {
                seen = failure.Message;
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested && !test.IsCancellationRequested)
            {
                return (false, $"no answer in time (before: {seen})", default);
            }

            if (limit.IsCancellationRequested && !test.IsCancellationRequested)
            {
                return (false, seen, default);
            }

            await Task.Delay(LookEvery, TimeProvider.System, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            test.ThrowIfCancellationRequested();
        }
    }
}
