using System.Text;
using Mesh.Agent.Http;
using Mesh.Agent.Pods;
using Xunit;

namespace Mesh.Agent.Tests;

public sealed class RegistrationStreamTests
{
    [Fact(Timeout = 60_000)]
    public async Task A_change_while_a_line_is_sent_is_shown_by_the_next_line()
    {
        var lease = new Lease();
        var state = 1;
        var sent = new List<string>();

        Task Send(byte[] line)
        {
            sent.Add(Encoding.UTF8.GetString(line));
            if (state < 3)
            {
                state++;
                lease.Touch();
            }
            else
            {
                lease.Finish(new LeaseEnd.TakenOver());
            }

            return Task.CompletedTask;
        }

        await RegistrationStream.WriteChangesAsync(
            lease, () => Encoding.UTF8.GetBytes($"{state}\n"), Send, TestContext.Current.CancellationToken);

        Assert.Equal(
            ["""{"type":"ADDED","object":1}""" + "\n", """{"type":"MODIFIED","object":2}""" + "\n", """{"type":"MODIFIED","object":3}""" + "\n"], sent);
    }
}
