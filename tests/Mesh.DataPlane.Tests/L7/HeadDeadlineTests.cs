using System.IO.Pipelines;
using System.Text;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.L7.Strict;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>A head's deadline that passes while the head becomes whole: whatever comes next on the connection is innocent.</summary>
public sealed class HeadDeadlineTests
{
    private const int Limit = 60_000;

    private readonly Pipe _client = new();
    private readonly Pipe _answers = new();
    private readonly LateTime _time = new();
    private readonly List<Refusal> _refusals = [];
    private readonly StrictRequestReader _reader;

    public HeadDeadlineTests() =>
        _reader = new StrictRequestReader(_client.Reader, new CountedWriter(_answers.Writer, gone: () => { }), new IngressOptions(), _time, _refusals.Add, cut: () => { });

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    public async Task The_body_of_that_request_is_read_and_nobody_is_told_of_a_cancellation()
    {
        await ReadHeadLateAsync("Content-Length: 3\r\n");
        await SendAsync("abc");

        Assert.True(_reader.TryRead(out var body));
        Assert.False(body.IsCanceled);
        Assert.Equal("abc", Encoding.Latin1.GetString(body.Buffer));
    }

    [Fact(Timeout = Limit)]
    public async Task The_next_head_has_all_of_its_own_time()
    {
        await ReadHeadLateAsync("");
        await SendAsync("GET /2 HTTP/1.1\r\n");
        var next = _reader.ReadAsync(Stop);
        Assert.False(next.IsCompleted);
        Assert.Empty(_refusals);

        await SendAsync("Host: app.test\r\n\r\n");
        Assert.StartsWith("GET /2 ", Encoding.Latin1.GetString((await next).Buffer), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task A_head_that_is_not_whole_by_then_is_refused()
    {
        await SendAsync("GET / HTTP/1.1\r\n");
        var reading = _reader.ReadAsync(Stop);
        _time.Pass();

        Assert.True((await reading).IsCompleted);
        Assert.Equal(408, Assert.Single(_refusals).Status);
    }

    /// <summary>The timer was stopped with the whole head, and its callback runs all the same: it had begun.</summary>
    private async Task ReadHeadLateAsync(string header)
    {
        await SendAsync("POST / HTTP/1.1\r\nHost: app.test\r\n");
        var reading = _reader.ReadAsync(Stop);
        await SendAsync((header.Length == 0 ? "Content-Length: 0\r\n" : header) + "\r\n");
        var head = await reading;
        _reader.AdvanceTo(head.Buffer.End);
        _time.Pass();
    }

    private async Task SendAsync(string latin1) => await _client.Writer.WriteAsync(Encoding.Latin1.GetBytes(latin1), Stop);

    /// <summary>Timers whose callback runs when the test says, stopped or not.</summary>
    private sealed class LateTime : TimeProvider
    {
        private Action _pass = () => { };

        public void Pass() => _pass();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _pass = () => callback(state);
            return new Timer();
        }

        private sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
