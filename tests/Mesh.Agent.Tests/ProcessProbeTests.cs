using System.Net;
using System.Net.Sockets;
using Mesh.Agent.Probes;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Services;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>Processes that say where they answer, and then do not: the kernel accepts on their behalf as before.</summary>
[Trait("Row", "R-S4")]
public sealed class ProcessProbeTests : IDisposable
{
    private const int Port = 80;

    private static readonly TimeSpan Within = TimeSpan.FromMilliseconds(900);

    private readonly string _name = $"test-{Uid.New(new Random())}";
    private readonly Socket _process = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public ProcessProbeTests()
    {
        _process.Bind(new UnixDomainSocketEndPoint("\0mesh-answers-" + _name));
        _process.Listen(1);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private ProbeSpec Spec => ProbeSpec.ProcessAnswers(_name, IPAddress.Loopback, [new ContainerPort(null, Port, TransportProtocol.Tcp)]);

    public void Dispose() => _process.Dispose();

    [Fact(Timeout = 60_000)]
    public async Task A_process_that_hangs_is_out_within_four_seconds_and_back_with_its_next_answer()
    {
        await using var loop = new RunningLoop();
        var target = loop.Add(Spec);
        Assert.True(target.IsReady); // it has just said so
        await AnswerAsync();
        await loop.ArmedAsync(TimeSpan.FromSeconds(1), Stop);
        var hangs = loop.Time.GetTimestamp();

        loop.Time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 3; i++)
        {
            Assert.True(target.IsReady);
            using var asked = await _process.AcceptAsync(Stop);
            loop.Time.Advance(Within);
            Assert.Equal(0, await asked.ReceiveAsync(new byte[1], Stop)); // given up
        }

        Assert.False(await loop.Told.Reader.ReadAsync(Stop));
        Assert.InRange(loop.Time.GetElapsedTime(hangs), TimeSpan.Zero, TimeSpan.FromSeconds(4));
        Assert.Contains("no sign of life", target.Message, StringComparison.Ordinal);

        loop.Time.Advance(TimeSpan.FromSeconds(1) - Within);
        await AnswerAsync();
        Assert.True(await loop.Told.Reader.ReadAsync(Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task Who_finds_it_silent_has_it_asked_at_once()
    {
        await using var loop = new RunningLoop();
        loop.Add(Spec);
        await AnswerAsync();
        await loop.ArmedAsync(TimeSpan.FromSeconds(1), Stop);
        loop.Time.Advance(TimeSpan.FromMilliseconds(100));

        loop.Suspect(Port);

        await AnswerAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task One_whose_connections_are_not_even_taken_is_silent()
    {
        var runner = new ProbeRunner(TimeProvider.System);
        var waiting = new List<Socket>();
        try
        {
            SocketException? full = null;
            while (full is null)
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                waiting.Add(socket);
                full = (SocketException?)await Record.ExceptionAsync(() => socket.ConnectAsync(_process.LocalEndPoint!, Stop).AsTask());
            }

            Assert.IsType<ProbeOutcome.Silent>(await runner.TryAsync(Spec, Stop));
        }
        finally
        {
            waiting.ForEach(static socket => socket.Dispose());
        }
    }

    [Fact]
    public void One_that_was_never_heard_is_out_of_hearing_and_stays_as_it_says()
    {
        var target = new ProbeTarget(Spec, static () => Task.CompletedTask);
        ProbeOutcome[] failures = [new ProbeOutcome.Refused(""), new ProbeOutcome.Silent(""), new ProbeOutcome.Failed("")];
        foreach (var failure in failures.Concat(failures))
        {
            Assert.False(target.Count(failure));
            Assert.True(target.IsReady);
        }

        Assert.False(target.Count(ProbeOutcome.Passed.Instance)); // as was said of it
        Assert.Equal([false, false, true], failures.Select(target.Count));
        Assert.False(target.IsReady);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("""{"ready":true}""", true)]
    [InlineData("""{"ready":true,"readinessProbe":{"tcpSocket":{"port":PORT}}}""", false)]
    [InlineData("""{"ports":[{"containerPort":PORT}]}""", false)]
    public async Task Only_where_the_application_says_itself_that_it_is_ready_its_process_is_asked(string body, bool isAsked)
    {
        using var server = new CountingServer();
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var curl = Curl.Put(agent.Url, "web", body.Replace("PORT", $"{server.Port}", StringComparison.Ordinal), "?answers=" + _name);

        using var asked = await (isAsked ? _process.AcceptAsync(Stop).AsTask() : server.AcceptOnlyAsync(Stop));

        Assert.True(isAsked || !_process.Poll(0, SelectMode.SelectRead));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("short")]
    [InlineData("sixteen.and.more.of.what.is.no.label")]
    public async Task A_name_that_is_none_is_refused(string name)
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var curl = Curl.Put(agent.Url, "web", """{"ready":true}""", "?answers=" + name);

        var status = await curl.LineAsync(Stop);

        Assert.Equal(400, status.GetProperty("code").GetInt32());
        Assert.StartsWith("answers: ", status.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private async Task AnswerAsync()
    {
        using var asked = await _process.AcceptAsync(Stop);
        await asked.SendAsync(new byte[] { 1 }, Stop);
    }
}
