using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Client.Hosting;

/// <summary>
/// Labels and annotations that changed in the configuration are told to the node, those alone: what the application patched
/// and what kubectl set stays. The other options are those that the host started with.
/// </summary>
internal sealed class ReloadedMetadata : IDisposable
{
    private readonly Lock _lock = new();
    private readonly PodRegistration _pod;
    private readonly ILogger _log;
    private readonly IDisposable? _following;
    private Dictionary<string, string> _labels;
    private Dictionary<string, string> _annotations;

    public ReloadedMetadata(PodRegistration pod, MeshOptions first, IOptionsMonitor<MeshOptions> options, ILogger log)
    {
        (_pod, _log) = (pod, log);
        (_labels, _annotations) = (new(first.Labels), new(first.Annotations));
        _following = options.OnChange((changed, name) => Follow(changed));
    }

    public void Dispose() => _following?.Dispose();

    private void Follow(MeshOptions options)
    {
        if (options.Problems().ToList() is { Count: > 0 } problems)
        {
            _log.NotReloaded(string.Join(' ', problems));
            return;
        }

        lock (_lock)
        {
            var patch = new PodMetadataPatch();
            Differ(_labels, options.Labels, patch.Labels);
            Differ(_annotations, options.Annotations, patch.Annotations);
            (_labels, _annotations) = (new(options.Labels), new(options.Annotations));
            if (patch.Labels.Count + patch.Annotations.Count > 0)
            {
                _pod.Patch(patch);
            }
        }
    }

    private static void Differ(Dictionary<string, string> before, IDictionary<string, string> now, IDictionary<string, string?> patch)
    {
        foreach (var gone in before.Keys.Where(key => !now.ContainsKey(key)))
        {
            patch[gone] = null;
        }

        foreach (var (key, value) in now)
        {
            if (!before.TryGetValue(key, out var old) || old != value)
            {
                patch[key] = value;
            }
        }
    }
}
