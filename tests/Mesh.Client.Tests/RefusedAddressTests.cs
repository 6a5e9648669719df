using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>A node that refuses the question for an address: it is asked again for as long as there is time, and nothing of it stays.</summary>
public sealed class RefusedAddressTests
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.2.rules")]
    public async Task A_refused_question_for_an_address_is_asked_again_and_by_another_name_where_that_was_the_reason()
    {
        var asked = new ConcurrentQueue<string>();
        await using var node = await RefusedTests.StrangerAsync(context =>
        {
            asked.Enqueue(context.Request.Path.Value!.Split('/')[^1]);
            (context.Response.StatusCode, var line) = asked.Count switch
            {
                1 => (422, """{"kind":"Status","message":"No room."}"""),
                2 => (409, """{"kind":"Status","message":"It is taken."}"""),
                _ => (200, """{"type":"ADDED","object":{"metadata":{"namespace":"default","name":"p","uid":"u"},"status":{"podIP":"127.80.0.9"}}}"""),
            };
            return context.Response.WriteAsync(line + "\n");
        });
        var (time, log) = (new ArmedTime(), new LogLines());
        await using var pod = PodRegistration.Create(new MeshOptions { NodeUrl = node.Urls.Single() }, time, new Random(1), log);

        var allocating = pod.AllocateAsync(Stop);
        await time.UntilAsync(allocating, AnswerTimeout, Stop);

        Assert.Equal(IPAddress.Parse("127.80.0.9"), (await allocating).Address);
        var names = asked.ToArray();
        Assert.Equal((3, names[0]), (names.Length, names[1]));
        Assert.NotEqual(names[1], names[2]);
        Assert.Equal($"Warning: Not registered with the node at {node.Urls.Single()}: No room.; it is tried again", Assert.Single(log.Written));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.2.rules")]
    public async Task A_question_for_an_address_that_is_only_refused_is_given_up_in_time_and_the_registration_still_begins()
    {
        var isTold = false;
        await using var node = await RefusedTests.StrangerAsync(context =>
        {
            context.Response.StatusCode = Volatile.Read(ref isTold) ? 200 : 422;
            return context.Response.WriteAsync(Volatile.Read(ref isTold)
                ? """{"type":"ADDED","object":{"metadata":{"namespace":"default","name":"p","uid":"u"},"status":{"podIP":"127.0.0.1"}}}""" + "\n"
                : """{"kind":"Status","message":"No addresses here."}""");
        });
        var time = new ArmedTime();
        await using var pod = PodRegistration.Create(new MeshOptions { NodeUrl = node.Urls.Single() }, time, new Random(1), new LogLines());
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var allocating = pod.AllocateAsync(limit.Token);
        await time.RetryAsync(AnswerTimeout, Stop);
        await limit.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => allocating);
        Assert.Equal(("No addresses here.", null), (pod.LastFailure, pod.Identity));

        Volatile.Write(ref isTold, true);
        pod.Begin("host", []);
        Assert.Equal("127.0.0.1", (await pod.Registered.WaitAsync(Stop)).Address.ToString());
    }
}
