using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Mesh.DataPlane.L7;

/// <summary>
/// Counts what is written to a client, and says when nobody takes it any more: a pipe tells that in its result and one over TLS
/// by an exception, and the server above heeds neither, so the endpoint would go on answering into the void.
/// </summary>
internal sealed class CountedWriter(PipeWriter inner, Action gone) : PipeWriter
{
    private bool _isGone;

    public long Count { get; private set; }

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    public override void Advance(int bytes)
    {
        Count += bytes;
        inner.Advance(bytes);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        Count += source.Length;
        return Seen(inner.WriteAsync(source, cancellationToken));
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => Seen(inner.FlushAsync(cancellationToken));

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        try
        {
            inner.Complete(exception);
        }
        catch (IOException)
        {
            Leave(); // what was left had nobody to take it
        }
    }

    public override async ValueTask CompleteAsync(Exception? exception = null)
    {
        try
        {
            await inner.CompleteAsync(exception);
        }
        catch (IOException)
        {
            Leave();
        }
    }

    private ValueTask<FlushResult> Seen(ValueTask<FlushResult> pending)
    {
        if (!pending.IsCompletedSuccessfully)
        {
            return SeenAsync(pending);
        }

        var result = pending.Result;
        if (result.IsCompleted)
        {
            Leave();
        }

        return new(result);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> SeenAsync(ValueTask<FlushResult> pending)
    {
        FlushResult result;
        try
        {
            result = await pending;
        }
        catch (IOException)
        {
            result = new FlushResult(isCanceled: false, isCompleted: true);
        }

        if (result.IsCompleted)
        {
            Leave();
        }

        return result;
    }

    private void Leave()
    {
        if (!_isGone)
        {
            _isGone = true;
            gone();
        }
    }
}
