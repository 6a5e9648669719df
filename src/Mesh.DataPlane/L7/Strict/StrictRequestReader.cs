using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Mesh.Core.Clocks;
using Mesh.Core.Routing;

namespace Mesh.DataPlane.L7.Strict;

/// <summary>
/// Stands between a client's bytes and Kestrel's parser, and hands on only what was checked: a head when it is whole
/// and valid, a body as far as its framing holds. Bytes of the next request wait until Kestrel asks for them, so each
/// refusal comes after the answers before it. See docs/adr/0010-strict-requests-before-the-parser.md.
/// </summary>
internal sealed class StrictRequestReader(PipeReader input, CountedWriter output, IngressOptions options, TimeProvider time, Action<Refusal> refused, Action cut)
    : PipeReader, IStrictConnection
{
    private static readonly ReadResult Ended = new(default, isCanceled: false, isCompleted: true);

    private readonly PipeReader _inner = input;
    private readonly RequestBodyCheck _body = new(options);
    private ReadOnlySequence<byte> _buffer;
    private ReadOnlySequence<byte> _plainHead; // what is shown in place of a head, as far as Kestrel has not taken it
    private long _checked; // bytes at the front of the buffer that Kestrel may have
    private long _shown; // of those, the ones that it was shown before
    private bool _unseen; // it has not yet looked at all that it was shown
    private Mode _mode;
    private HeadDeadline? _headDeadline;
    private int _wokenByDeadline;

    private enum Mode
    {
        Requests,
        Tunnel,
        Ended,
    }

    public string? ConnectionOptions { get; private set; }

    public long BytesReceived { get; private set; }

    public long BytesSent => output.Count;

    public void OpenTunnel() => _mode = Mode.Tunnel;

    public void Cut() => cut();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (!_plainHead.IsEmpty)
        {
            return new ReadResult(_plainHead, isCanceled: false, isCompleted: false);
        }

        while (_mode != Mode.Ended)
        {
            var result = await _inner.ReadAsync(cancellationToken);
            IgnoreHeadDeadline(ref result);
            if ((AtHead ? await ShowHeadAsync(result) : Show(result)) is { } shown)
            {
                return shown;
            }
        }

        return Ended;
    }

    public override bool TryRead(out ReadResult result)
    {
        // Kestrel reads bodies this way, never heads; and only the refusal of a head needs to be written asynchronously.
        result = default;
        if (_mode == Mode.Ended || AtHead || !_inner.TryRead(out var inner))
        {
            return false;
        }

        IgnoreHeadDeadline(ref inner);
        if (Show(inner) is not { } shown)
        {
            return false;
        }

        result = shown;
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_mode == Mode.Ended)
        {
            return; // what was shown is empty and belongs to no buffer
        }

        if (!_plainHead.IsEmpty)
        {
            _plainHead = _plainHead.Slice(consumed); // the bytes that it stands for were taken before
            return;
        }

        _unseen = _buffer.Slice(0, examined).Length < _shown;
        var taken = _buffer.Slice(0, consumed).Length;
        BytesReceived += taken;
        _checked -= taken;
        _shown -= taken;
        _inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => _inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        StopHeadDeadline();
        _inner.Complete(exception);
    }

    private bool AtHead => _mode == Mode.Requests && _body.IsDone && _checked == 0;

    private async ValueTask<ReadResult?> ShowHeadAsync(ReadResult result)
    {
        var head = Parse(result.Buffer);
        var refusal = head.Length == 0 && _headDeadline is { HasPassed: true }
            ? Refusal.Of(RefusalReason.RequestTimeout, $"the headers were not complete after {options.HeaderTimeout.TotalSeconds} s")
            : head.Refusal;
        if (refusal is not null)
        {
            return await RefuseAsync(result, refusal);
        }

        if (head.Length > 0)
        {
            StopHeadDeadline();
            _body.Begin(head);
            ConnectionOptions = head.ConnectionOptions;
            if (head.Plain is { } plain)
            {
                _inner.AdvanceTo(result.Buffer.GetPosition(head.Length));
                _plainHead = new ReadOnlySequence<byte>(plain);
                BytesReceived += head.Length;
                return new ReadResult(_plainHead, isCanceled: false, isCompleted: false);
            }

            _buffer = result.Buffer;
            _checked = head.Length;
            return ShowChecked(result);
        }

        if (result.IsCompleted || result.IsCanceled)
        {
            // Kestrel is shown no part of a head, so it closes quietly.
            End(result);
            return Ended;
        }

        if (!result.Buffer.IsEmpty)
        {
            _headDeadline ??= new HeadDeadline(this, options.HeaderTimeout, time);
        }

        _inner.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        return null;
    }

    private RequestHead Parse(ReadOnlySequence<byte> buffer)
    {
        if (buffer.IsSingleSegment)
        {
            return RequestHeadParser.Parse(buffer.FirstSpan, options);
        }

        // A head that lies across segments is rare; it is parsed from one copy.
        var length = (int)Math.Min(buffer.Length, options.MaxRequestLine + options.MaxHeaderBytes + 64);
        var copy = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            buffer.Slice(0, length).CopyTo(copy);
            return RequestHeadParser.Parse(copy.AsSpan(0, length), options);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    /// <summary>Checks what is new of a body, and shows everything checked; null when there is nothing that was not seen.</summary>
    private ReadResult? Show(ReadResult result)
    {
        _buffer = result.Buffer;
        if (_mode == Mode.Tunnel)
        {
            _checked = _buffer.Length;
        }
        else if (!_body.IsDone && _body.Check(_buffer.Slice(_checked), ref _checked) is { } refusal)
        {
            End(result);
            throw new MalformedBodyException(refusal);
        }

        if (_checked == _shown && !_unseen && !result.IsCanceled && !result.IsCompleted)
        {
            _inner.AdvanceTo(_buffer.Start, _buffer.End);
            return null;
        }

        if (result.IsCompleted && (_mode == Mode.Tunnel ? _checked == _shown : !_body.IsDone))
        {
            cut(); // the rest of this body will never come, and a tunnel is open both ways or not at all
        }

        return ShowChecked(result);
    }

    private ReadResult ShowChecked(ReadResult result)
    {
        _shown = _checked;
        // With a request that is whole, Kestrel is not told of the end: it would take that for the client's going.
        var isEnd = result.IsCompleted && _checked == _buffer.Length && (_mode == Mode.Tunnel || !_body.IsDone);
        return new ReadResult(_buffer.Slice(0, _checked), result.IsCanceled, isEnd);
    }

    /// <summary>Answers in Kestrel's place, which has seen nothing of this request, and ends the connection.</summary>
    private async ValueTask<ReadResult> RefuseAsync(ReadResult result, Refusal refusal)
    {
        StopHeadDeadline();
        End(result);
        refused(refusal);
        await output.WriteAsync(RefusalBytes.Of(refusal, WallClock.Now(time)));
        return Ended;
    }

    private void End(ReadResult result)
    {
        _inner.AdvanceTo(result.Buffer.End);
        _mode = Mode.Ended;
    }

    /// <summary>A read that the deadline of a head woke was cancelled by nobody, least of all when that head was whole by then.</summary>
    private void IgnoreHeadDeadline(ref ReadResult result)
    {
        if (result.IsCanceled && Interlocked.Exchange(ref _wokenByDeadline, 0) == 1)
        {
            result = new ReadResult(result.Buffer, isCanceled: false, result.IsCompleted);
        }
    }

    private void StopHeadDeadline()
    {
        _headDeadline?.Dispose();
        _headDeadline = null;
    }

    /// <summary>Of one head: when it passes too late to be stopped, the next head does not pay for it.</summary>
    private sealed class HeadDeadline : IDisposable
    {
        private readonly StrictRequestReader _reader;
        private readonly ITimer _timer;
        private volatile bool _hasPassed;

        public HeadDeadline(StrictRequestReader reader, TimeSpan limit, TimeProvider time)
        {
            _reader = reader;
            _timer = time.CreateTimer(static deadline => ((HeadDeadline)deadline!).Pass(), this, limit, Timeout.InfiniteTimeSpan);
        }

        public bool HasPassed => _hasPassed;

        public void Dispose() => _timer.Dispose();

        private void Pass()
        {
            _hasPassed = true;
            Volatile.Write(ref _reader._wokenByDeadline, 1);
            _reader._inner.CancelPendingRead();
        }
    }
}

/// <summary>What the rest of the gateway may know of, and say to, the reader of its connection.</summary>
internal interface IStrictConnection
{
    /// <summary>The Connection header of the request under way, unless it names only what Kestrel handles.</summary>
    string? ConnectionOptions { get; }

    /// <summary>Bytes that were taken of what the client sent.</summary>
    long BytesReceived { get; }

    /// <summary>Bytes that the client was sent.</summary>
    long BytesSent { get; }

    /// <summary>The connection stops being HTTP/1 (101 Switching Protocols): from here on every byte passes unchecked.</summary>
    void OpenTunnel();

    /// <summary>Ends the connection at once, in the middle of whatever is under way.</summary>
    void Cut();
}
