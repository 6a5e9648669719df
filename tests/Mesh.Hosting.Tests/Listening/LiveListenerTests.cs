using Mesh.Node.Listening;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Hosting.Tests.Listening;

/// <summary>Listeners of options, one beside the other.</summary>
public sealed class LiveListenerTests
{
    [Fact(Timeout = 60_000)]
    public async Task One_that_meets_an_exception_keeps_no_other_from_being_opened_or_tried_again()
    {
        var stop = TestContext.Current.CancellationToken;
        var isTaken = true;
        await using var faulty = new LiveListener("faulty", (_, _) => throw new InvalidOperationException("planted"), NullLogger.Instance);
        await using var other = new LiveListener("other", (_, _) => isTaken ? throw new IOException("taken") : Task.FromResult<IAsyncDisposable>(new MemoryStream()), NullLogger.Instance);

        await Assert.ThrowsAsync<InvalidOperationException>(() => LiveListener.EachAsync(() => faulty.ApplyAsync("here", stop), () => other.ApplyAsync("there", stop)));
        Assert.Equal("other does not listen on there: taken", other.WhyNotListening);

        isTaken = false;
        await Assert.ThrowsAsync<InvalidOperationException>(() => LiveListener.EachAsync(() => faulty.RetryAsync(stop), () => other.RetryAsync(stop)));
        Assert.Null(other.WhyNotListening);
    }
}
