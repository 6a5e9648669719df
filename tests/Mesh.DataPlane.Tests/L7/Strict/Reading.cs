using System.IO.Pipelines;
using System.Text;
using Mesh.Core.Routing;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.L7.Strict;

namespace Mesh.DataPlane.Tests.L7.Strict;

/// <summary>What became of a client's bytes that came in pieces, each taken by a Kestrel that takes all it is shown before the next one.</summary>
/// <param name="Shown">What Kestrel was shown.</param>
/// <param name="Head">Why a head was refused in Kestrel's place; null when none was.</param>
/// <param name="Body">What ended the reading of a body; null when nothing did.</param>
internal sealed record Reading(string Shown, RefusalReason? Head, RefusalReason? Body)
{
    // Small segments, so that a head and a body lie across them; and whoever waits reads on in the call that writes.
    private static readonly PipeOptions Segments = new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, minimumSegmentSize: 1, pauseWriterThreshold: 0, useSynchronizationContext: false);

    /// <param name="cuts">Between which bytes one piece ends and the next begins, in order.</param>
    public static async Task<Reading> OfAsync(byte[] bytes, IEnumerable<int> cuts, CancellationToken stop)
    {
        var (client, refusals, shown) = (new Pipe(Segments), new List<Refusal>(), new StringBuilder());
        var reader = new StrictRequestReader(
            client.Reader, new CountedWriter(new Pipe(Segments).Writer, gone: () => { }), new IngressOptions(), TimeProvider.System, refusals.Add, cut: () => { });
        RefusalReason? body = null;
        try
        {
            await ReadAsync(reader, client.Writer, bytes, [.. cuts, bytes.Length], shown, stop);
        }
        catch (MalformedBodyException malformed)
        {
            body = malformed.Refusal.Reason;
        }

        await reader.CompleteAsync();
        await client.Writer.CompleteAsync();
        return new Reading(shown.ToString(), refusals.SingleOrDefault()?.Reason, body);
    }

    private static async Task ReadAsync(StrictRequestReader reader, PipeWriter client, byte[] bytes, int[] ends, StringBuilder shown, CancellationToken stop)
    {
        var next = 0;
        while (true)
        {
            var reading = reader.ReadAsync(stop).AsTask();
            while (!reading.IsCompleted && next < ends.Length)
            {
                await client.WriteAsync(bytes.AsMemory((next == 0 ? 0 : ends[next - 1])..ends[next]), stop);
                next++;
            }

            if (!reading.IsCompleted)
            {
                await client.CompleteAsync();
            }

            var result = await reading;
            shown.Append(Encoding.Latin1.GetString(result.Buffer));
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }
}
