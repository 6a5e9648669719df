using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>As many registrations as a node takes, each a real stream.</summary>
public sealed class ManyRegistrationsTests
{
    private const int Limit = 60_000;
    private const int Processes = 40;
    private const int StreamsEach = Limit / Processes; // curl holds 300 at once at most

    [Fact(Timeout = 60_000)]
    public async Task Ten_thousand_registrations_are_held_and_one_more_is_refused_until_one_ends()
    {
        var stop = TestContext.Current.CancellationToken;
        Assert.SkipUnless(MayOpen(Limit + 1_000), $"this user may not open {Limit + 1_000} files (ulimit -Hn)");
        await using var agent = await AgentUnderTest.StartAsync(stop);
        var curls = Enumerable.Range(0, Processes).Select(process => StartCurl(agent.Url, process)).ToList();
        try
        {
            var names = new HashSet<string>(StringComparer.Ordinal);
            while (names.Count < Limit)
            {
                names.Add((await agent.Reports.Reader.ReadAsync(stop)).Name);
            }

            Assert.Equal(Limit, agent.Agent.Inventory("").Pods.Count);
            using var http = new HttpClient { BaseAddress = agent.Url };
            using (var refused = await http.PutAsync("/v1/namespaces/default/pods/more", new StringContent("{}"), stop))
            {
                Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
                var message = (await refused.Content.ReadFromJsonAsync<JsonElement>(stop)).GetProperty("message").GetString();
                Assert.Equal("This node has 10000 registrations, and takes 10000 at most.", message);
            }

            // A stream that is taken over is no new one, and an end makes room.
            var uid = Assert.Single(agent.Agent.Inventory("").Pods, pod => pod.Name == "pod-0-1").Uid;
            using var takenOver = Curl.Put(agent.Url, "pod-0-1", "{}", "?uid=" + uid);
            Assert.Equal(uid, RegistrationTests.Uid(await takenOver.LineAsync(stop)));
            Assert.Equal(HttpStatusCode.OK, (await http.DeleteAsync("/v1/namespaces/default/pods/pod-1-1", stop)).StatusCode);
            using var more = Curl.Put(agent.Url, "more", "{}");
            Assert.Equal("ADDED", (await more.LineAsync(stop)).GetProperty("type").GetString());
        }
        finally
        {
            foreach (var curl in curls)
            {
                curl.Kill();
                curl.Dispose();
            }
        }
    }

    private static Process StartCurl(Uri node, int process)
    {
        var curl = Process.Start(new ProcessStartInfo("curl")
        {
            ArgumentList =
            {
                "-sN", "--no-progress-meter", "--parallel", "--parallel-immediate", "--parallel-max", StreamsEach.ToString(CultureInfo.InvariantCulture),
                "-X", "PUT", "-d", "{}", "-o", "/dev/null",
                $"{node}v1/namespaces/default/pods/pod-{process}-[1-{StreamsEach}]",
            },
        })!;
        Caretaker.Mind(curl);
        return curl;
    }

    private static bool MayOpen(int descriptors)
    {
        var limit = File.ReadLines("/proc/self/limits").Single(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        var hard = limit.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];
        return hard == "unlimited" || long.Parse(hard, CultureInfo.InvariantCulture) >= descriptors;
    }
}
