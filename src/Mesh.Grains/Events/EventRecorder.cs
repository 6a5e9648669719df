using System.Text.Json.Nodes;
using System.Threading.Channels;
using Mesh.Core.Names;
using Mesh.Grains.Pods;
using Mesh.Grains.Projections;
using Mesh.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Events;

/// <summary>
/// Writes Events (core/v1) about objects: repeated ones are counted in one object, at most 25 a second are written, and
/// what does not fit is dropped and counted: an Event is a hint to people, never a fact that something rests on.
/// </summary>
public sealed class EventRecorder(
    IObjectStore store, IWatchCache cache, ProjectionPace pace, TimeProvider time, Random random, ILogger<EventRecorder> log) : BackgroundService
{
    public const int Waiting = 1024;

    private static readonly TimeSpan WriteEvery = TimeSpan.FromMilliseconds(40);

    private readonly Channel<Occurrence> _waiting = Channel.CreateBounded<Occurrence>(Waiting);

    /// <summary>Something happened to the object that its owner should see in <c>kubectl describe</c>.</summary>
    /// <param name="reason">One CamelCase word.</param>
    public void Record(StoredObject about, bool isWarning, string reason, string message)
    {
        if (!_waiting.Writer.TryWrite(new Occurrence(about.Key, about.Uid, isWarning, reason, message)))
        {
            log.EventDropped(about.Key, reason);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var occurrence in _waiting.Reader.ReadAllAsync(stoppingToken))
            {
                await pace.TakeAsync(1, stoppingToken);
                await WriteAsync(occurrence);
                await Task.Delay(WriteEvery, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task WriteAsync(Occurrence occurrence)
    {
        var ns = occurrence.About.Namespace.Length > 0 ? occurrence.About.Namespace : "default";
        var known = cache.List("", "Event", ns).Items.FirstOrDefault(stored => occurrence.IsIn(stored.Document));
        try
        {
            Write[] writes = known is null
                ? [new Write.Check(Kinds.Namespace(ns), Precondition.Activity), First(occurrence, ns)]
                : [new Write.Put(known.Key, Occurrence.Counted(known.Document, time.GetUtcNow()), new Precondition.Is(known.ResourceVersion, known.Uid))];
            await store.CommitAsync(writes, CommitClass.Projection, CancellationToken.None); // a failed precondition: the namespace ends, or another silo counted
        }
        catch (Exception problem) when (problem is StoreUnavailableException or CommitOutcomeUnknownException)
        {
            log.EventNotWritten(occurrence.About, occurrence.Reason, problem);
        }
    }

    private Write.Put First(Occurrence occurrence, string ns)
    {
        Span<byte> suffix = stackalloc byte[8];
        random.NextBytes(suffix);
        var name = $"{occurrence.About.Name}.{Convert.ToHexStringLower(suffix)}";
        var document = occurrence.Document(ns, name, Uid.New(random), time.GetUtcNow());
        return new Write.Put(Kinds.Event(NamespacedName.Of(ns, name)), document, Precondition.Absence);
    }

    private sealed record Occurrence(ObjectKey About, string AboutUid, bool IsWarning, string Reason, string Message)
    {
        private string Type => IsWarning ? "Warning" : "Normal";

        /// <summary>Whether the Event tells of the same thing: then it is counted there (as client-go's correlator does).</summary>
        public bool IsIn(ReadOnlyMemory<byte> document) =>
            StoredFields.Text(document, "involvedObject", "uid") == AboutUid
            && StoredFields.Text(document, "reason") == Reason
            && StoredFields.Text(document, "type") == Type
            && StoredFields.Text(document, "message") == Message;

        public static ReadOnlyMemory<byte> Counted(ReadOnlyMemory<byte> document, DateTimeOffset now)
        {
            var known = StoredFields.Open(document);
            known["count"] = ((int?)known["count"] ?? 1) + 1;
            known["lastTimestamp"] = StoredFields.Time(now);
            return StoredFields.Close(known);
        }

        public ReadOnlyMemory<byte> Document(string ns, string name, string uid, DateTimeOffset now) => StoredFields.Close(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["namespace"] = ns,
                ["uid"] = uid,
                ["creationTimestamp"] = StoredFields.Time(now),
            },
            ["involvedObject"] = new JsonObject
            {
                ["apiVersion"] = About.Group.Length == 0 ? "v1" : About.Group + "/v1",
                ["kind"] = About.Kind,
                ["namespace"] = About.Namespace.Length == 0 ? null : About.Namespace,
                ["name"] = About.Name,
                ["uid"] = AboutUid,
            },
            ["type"] = Type,
            ["reason"] = Reason,
            ["message"] = Message,
            ["count"] = 1,
            ["firstTimestamp"] = StoredFields.Time(now),
            ["lastTimestamp"] = StoredFields.Time(now),
            ["source"] = new JsonObject { ["component"] = "mesh" },
            ["reportingComponent"] = "mesh.internal",
            ["reportingInstance"] = "",
        });
    }
}
