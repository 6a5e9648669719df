using System.Threading.Channels;
using Mesh.Core.Names;
using Mesh.Grains.Events;
using Mesh.Grains.Projections;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Grains.Tests.Events;

public sealed class EventRecorderTests
{
    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "events")]
    public async Task An_exception_about_one_Event_ends_no_silo_and_the_next_Event_is_written()
    {
        var stop = TestContext.Current.CancellationToken;
        var (loops, store, cache, time) = (new WatchedLoops(), new Written(), new StillCache(), new PlantedTime());
        var pod = cache.Put(new ObjectKey("", "Pod", "default", "web"), 1, "{}");
        using var recorder = new EventRecorder(store, cache, new ProjectionPace(time), loops.Loops, time, new Random(1), NullLogger<EventRecorder>.Instance);
        store.Fault = new InvalidDataException("planted");
        await recorder.StartAsync(stop);

        recorder.Record(pod, isWarning: true, "Lost", "this one meets the exception");
        Assert.IsType<InvalidDataException>(await loops.EndedAsync("events", stop));
        Assert.False(recorder.ExecuteTask!.IsCompleted); // a service that fails would stop its host

        recorder.Record(pod, isWarning: true, "Kept", "this one does not");
        Assert.Contains("\"Kept\"", await store.Documents.Reader.ReadAsync(stop), StringComparison.Ordinal);
        await recorder.StopAsync(stop);
    }

    private sealed class Written : IObjectStore
    {
        public Exception? Fault { get; set; }

        public Channel<string> Documents { get; } = Channel.CreateBounded<string>(10);

        public async Task<CommitOutcome> CommitAsync(IReadOnlyList<Write> writes, CommitClass commitClass, CancellationToken stop)
        {
            if (Fault is { } fault)
            {
                Fault = null;
                throw fault;
            }

            await Documents.Writer.WriteAsync(string.Concat(writes.OfType<Write.Put>().Select(put => System.Text.Encoding.UTF8.GetString(put.Document.Span))), stop);
            return new CommitOutcome.Committed([], 2);
        }

        public Task<StoredObject?> ReadAsync(ObjectKey key, CancellationToken stop) => throw new NotSupportedException();
    }
}
