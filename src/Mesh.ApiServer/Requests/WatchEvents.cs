using System.Diagnostics;
using System.IO.Pipelines;
using System.Text.Json;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Selectors;
using Mesh.Core.Json;
using Mesh.Storage;

namespace Mesh.ApiServer.Requests;

/// <summary>Writes the events of one watch: one JSON object a line, sent on as soon as it is written.</summary>
internal sealed class WatchEvents(PipeWriter output, Presenter presenter, ObjectFilter filter) : IAsyncDisposable
{
    private readonly Utf8JsonWriter _writer = new(output, MeshJson.Unchecked);

    private bool _hasColumns;

    /// <summary>Tells the state that the watch begins from, and headers at once even when there is none.</summary>
    public async Task StartAsync(CacheList? state, bool endsWithBookmark, long version, CancellationToken stop)
    {
        foreach (var stored in state?.Items.Where(filter.Matches) ?? [])
        {
            WriteEvent("ADDED", stored.Document);
            await FlushWhenLargeAsync(stop);
        }

        if (endsWithBookmark)
        {
            WriteBookmark(version, endsInitialEvents: true);
        }

        await FlushAsync(stop);
    }

    public async Task WriteAsync(IReadOnlyList<StoreChange> changes, CancellationToken stop)
    {
        foreach (var change in changes)
        {
            Write(change);
            await FlushWhenLargeAsync(stop);
        }

        await FlushAsync(stop);
    }

    public async Task WriteBookmarkAsync(long version, bool endsInitialEvents, CancellationToken stop)
    {
        WriteBookmark(version, endsInitialEvents);
        await FlushAsync(stop);
    }

    public async Task WriteErrorAsync(ApiStatus status, CancellationToken stop)
    {
        WriteLine("ERROR", () => status.ToJson().WriteTo(_writer));
        await FlushAsync(stop);
    }

    public ValueTask DisposeAsync() => _writer.DisposeAsync();

    /// <summary>An object that enters the selector is added for this watcher, one that leaves it is deleted.</summary>
    private void Write(StoreChange change)
    {
        var was = change.Previous is { } previous && filter.Matches(previous);
        switch (change.Type)
        {
            case StoreChangeType.Deleted when was || (change.Previous is null && filter.Matches(change.Object)):
                WriteEvent("DELETED", change.Object.Document);
                return;
            case StoreChangeType.Deleted:
                return;
            case StoreChangeType.Added or StoreChangeType.Modified:
                var matches = filter.Matches(change.Object);
                if (matches)
                {
                    WriteEvent(was ? "MODIFIED" : "ADDED", change.Object.Document);
                }
                else if (was)
                {
                    WriteEvent("DELETED", LastMatching(change));
                }

                return;
            default:
                throw new UnreachableException();
        }
    }

    // The last state that matched, with the resourceVersion of the change: a watch never goes back.
    private static byte[] LastMatching(StoreChange change)
    {
        var document = DocumentReader.ReadStored(change.Previous!.Document);
        document.Child("metadata")["resourceVersion"] =
            change.Object.ResourceVersion.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return document.ToUtf8();
    }

    private void WriteEvent(string type, ReadOnlyMemory<byte> document)
    {
        WriteLine(type, () => presenter.WriteObject(_writer, document, withColumns: !_hasColumns));
        _hasColumns = true;
    }

    private void WriteBookmark(long version, bool endsInitialEvents) =>
        WriteLine("BOOKMARK", () => presenter.WriteBookmark(_writer, version, endsInitialEvents));

    private void WriteLine(string type, Action writeObject)
    {
        _writer.Reset();
        _writer.WriteStartObject();
        _writer.WriteString("type", type);
        _writer.WritePropertyName("object");
        writeObject();
        _writer.WriteEndObject();
        _writer.Flush();
        output.GetSpan(1)[0] = (byte)'\n';
        output.Advance(1);
    }

    private async ValueTask FlushWhenLargeAsync(CancellationToken stop)
    {
        const int FlushAt = 64 * 1024;
        if (output.CanGetUnflushedBytes && output.UnflushedBytes > FlushAt)
        {
            await FlushAsync(stop);
        }
    }

    private async ValueTask FlushAsync(CancellationToken stop)
    {
        if ((await output.FlushAsync(stop)).IsCompleted)
        {
            throw new WatchAbandonedException();
        }
    }
}
