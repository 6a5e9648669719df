using System.ComponentModel.DataAnnotations;

namespace Mesh.ApiServer;

/// <summary>What the host tells the API.</summary>
public sealed class ApiOptions
{
    public const int MaxBodyBytes = 3 * 1024 * 1024;

    /// <summary>The bearer token of the administrator; everything but the health checks wants it.</summary>
    [Required, MinLength(16)]
    public string Token { get; set; } = "";

    /// <summary>Watches open at once; one more is answered 429.</summary>
    [Range(1, 100_000)]
    public int MaxWatches { get; set; } = 1000;

    /// <summary>Whether <c>/readyz</c> is 200; a sentence why not otherwise, null when ready.</summary>
    public Func<string?> WhyNotReady { get; set; } = static () => null;

    /// <summary>Paths that the host answers beside those of the API; the root lists them too.</summary>
    public IReadOnlyCollection<string> OtherPaths { get; set; } = [];

    /// <summary>The build, as <c>/version</c> tells it beside the Kubernetes version.</summary>
    public string Build { get; set; } = "0.1.0";
}
