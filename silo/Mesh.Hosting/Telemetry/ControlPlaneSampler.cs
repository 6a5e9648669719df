using System.Diagnostics;
using Mesh.Hosting.Options;
using OpenTelemetry.Trace;

namespace Mesh.Hosting.Telemetry;

/// <summary>
/// Keeps the control plane's own doings out of the traces: leases are renewed and grains report every few seconds, and
/// the requests of users would drown among them.
/// </summary>
internal static class ControlPlaneSampler
{
    /// <summary>Null: as OTEL_TRACES_SAMPLER says.</summary>
    public static Sampler? For(ControlPlaneTraces traces) => traces switch
    {
        ControlPlaneTraces.None => new ParentBasedSampler(new AlwaysOffSampler()),
        ControlPlaneTraces.Requests => new ParentBasedSampler(new RequestsOnly()),
        ControlPlaneTraces.All => null,
        _ => throw new UnreachableException(),
    };

    /// <summary>A request's span begins with its method (semantic conventions, HTTP); a grain's timer has none.</summary>
    private sealed class RequestsOnly : Sampler
    {
        public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
        {
            foreach (var tag in samplingParameters.Tags ?? [])
            {
                if (tag.Key == "http.request.method")
                {
                    return new SamplingResult(SamplingDecision.RecordAndSample);
                }
            }

            return new SamplingResult(SamplingDecision.Drop);
        }
    }
}
