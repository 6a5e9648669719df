using System.Diagnostics.Metrics;
using Xunit;

namespace Mesh.ApiServer.Tests;

public sealed class MetricTests(ApiHost host) : IClassFixture<ApiHost>
{
    [Fact(Timeout = 60_000)]
    public async Task Requests_are_timed_by_kind_verb_and_code()
    {
        var expected = new Expected<string>(
            "http.request.method=GET http.response.status_code=200 url.scheme=https mesh.api.resource=endpoints mesh.api.verb=list",
            "http.request.method=GET http.response.status_code=404 url.scheme=https mesh.api.resource=endpoints mesh.api.verb=get",
            "http.request.method=GET http.response.status_code=200 url.scheme=https mesh.api.resource=endpoints mesh.api.verb=watch",
            "http.request.method=DELETE http.response.status_code=200 url.scheme=https mesh.api.resource=ingresses.networking.k8s.io mesh.api.verb=deletecollection",
            "http.request.method=_OTHER http.response.status_code=405 url.scheme=https mesh.api.resource=services mesh.api.verb=other");
        using var listener = Listen<double>("http.server.request.duration", (_, tags) => expected.Saw(tags));

        await host.Http.SendAsync("GET", "/api/v1/namespaces/default/endpoints");
        await host.Http.SendAsync("GET", "/api/v1/namespaces/default/endpoints/missing");
        await host.Http.SendAsync("DELETE", "/apis/networking.k8s.io/v1/namespaces/default/ingresses");
        await host.Http.SendAsync("BREW", "/api/v1/namespaces/default/services");
        using var watch = await Watching.StartAsync(host, "/api/v1/watch/namespaces/default/endpoints?timeoutSeconds=1");

        await expected.AllAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task Open_watches_are_counted_until_they_end()
    {
        var expected = new Expected<long>(1, -1);
        using var listener = Listen<long>("mesh.watch.active", (change, tags) =>
        {
            if (tags == "mesh.api.resource=endpointslices.discovery.k8s.io")
            {
                expected.Saw(change);
            }
        });

        using var watch = await Watching.StartAsync(host, "/apis/discovery.k8s.io/v1/endpointslices?watch=true&timeoutSeconds=1");

        await expected.AllAsync();
    }

    private static MeterListener Listen<T>(string instrument, Action<T, string> told)
        where T : struct
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (published, to) =>
            {
                if (published.Meter.Name == ApiServerMetrics.MeterName && published.Name == instrument)
                {
                    to.EnableMeasurementEvents(published);
                }
            },
        };
        listener.SetMeasurementEventCallback<T>((_, value, tags, _) => told(value, string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))));
        listener.Start();
        return listener;
    }

    /// <summary>What is to be measured, in any order: measurements come a moment after the answer that they are of.</summary>
    private sealed class Expected<T>(params T[] values)
        where T : notnull
    {
        private readonly Dictionary<T, TaskCompletionSource> _seen =
            values.ToDictionary(value => value, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

        public void Saw(T value) => _seen.GetValueOrDefault(value)?.TrySetResult();

        public Task AllAsync() => Task.WhenAll(_seen.Values.Select(seen => seen.Task)).WaitAsync(TestContext.Current.CancellationToken);
    }
}
