using System.IO.Pipelines;
using System.Text;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Requests;
using Mesh.ApiServer.Resources;
using Mesh.ApiServer.Selectors;
using Mesh.Core.Names;
using Mesh.Storage;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>What is made for a watch whose client is gone.</summary>
public sealed class AbandonedWatchTests
{
    [Fact(Timeout = 60_000)]
    [Trait("Row", "R-M6")]
    public async Task Nothing_more_is_made_for_a_client_that_is_gone()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var namespaces = new ResourceCatalog().Find("", "v1", "namespaces")!;
        Assert.False(ObjectFilter.Parse(namespaces, "", "", "", "").IsRefused(out _, out var everything));
        await using var events = new WatchEvents(pipe.Writer, new Presenter(namespaces, new Representation.Whole(), TimeProvider.System), everything);
        var changes = Enumerable.Range(1, 100).Select(Change).ToList();
        await events.WriteAsync(changes, TestContext.Current.CancellationToken);
        await pipe.Reader.CompleteAsync();

        await Assert.ThrowsAsync<WatchAbandonedException>(() => events.WriteAsync(changes, TestContext.Current.CancellationToken));

        Assert.InRange(pipe.Writer.UnflushedBytes, 0, 128 * 1024);
    }

    private static StoreChange Change(int number)
    {
        var text = $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n{{{number}}}","annotations":{"long":"{{{new string('x', 20_000)}}}"} } }""";
        var key = new ObjectKey("", "Namespace", "", $"n{number}");
        return new StoreChange(StoreChangeType.Added, new StoredObject(key, $"u{number}", number, number, false, Encoding.UTF8.GetBytes(text)), null);
    }
}
