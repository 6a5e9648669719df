using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.Hosting.Certificates;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Starting;

/// <summary>A process that runs for years shows a valid certificate.</summary>
public sealed class ServingCertificateTests
{
    private static readonly TimeSpan Life = TimeSpan.FromDays(397);

    [Fact]
    public void A_certificate_is_renewed_at_two_thirds_of_its_life_and_not_before()
    {
        var clock = new Clock();
        var issued = 0;
        var serving = new ServingCertificate(
            now =>
            {
                issued++;
                return Issue(now);
            },
            clock);
        var first = serving.Current.TargetCertificate;

        clock.Now += (Life * 2 / 3) - TimeSpan.FromMinutes(1);
        Assert.Same(first, serving.Current.TargetCertificate);
        clock.Now += TimeSpan.FromMinutes(2);
        var second = serving.Current.TargetCertificate;
        Assert.NotEqual(first.Thumbprint, second.Thumbprint);
        Assert.Equal(clock.Now + Life, new DateTimeOffset(second.NotAfter), TimeSpan.FromSeconds(1));
        Assert.Same(second, serving.Current.TargetCertificate);
        Assert.Equal(2, issued);

        for (var day = 0; day < 3650; day++)
        {
            clock.Now += TimeSpan.FromDays(1);
            Assert.True(serving.Current.TargetCertificate.NotAfter > clock.Now.LocalDateTime);
        }
    }

    [Fact(Timeout = 180_000)]
    public async Task The_first_handshakes_may_come_all_at_once()
    {
        await using var silo = await SiloUnderTest.StartNewAsync();
        using var api = silo.Api();

        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => api.GetAsync(new Uri("/api/v1/namespaces", UriKind.Relative), TestContext.Current.CancellationToken)));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_client_that_does_not_trust_the_certificate_is_told_of_in_the_log_with_its_dates_once_for_many()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var silo = await SiloUnderTest.StartNewAsync();
        for (var i = 0; i < 3; i++)
        {
            await using var curl = ProcessUnderTest.Start("curl", ["--silent", "--show-error", new Uri(silo.ApiUrl, "/livez").ToString()]);
            Assert.NotEqual(0, (await curl.RunToEndAsync(stop)).Code);
        }

        const string Line = "A TLS handshake with the API failed: ";
        var said = await Eventually.Meets("the line", _ => Task.FromResult(silo.Process.Errors), seen => seen.Contains(Line, StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        Assert.Contains("unknown ca", said, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("The certificate is valid from ", said, StringComparison.Ordinal);
        Assert.Equal(said.IndexOf(Line, StringComparison.Ordinal), said.LastIndexOf(Line, StringComparison.Ordinal));
    }

    private static X509Certificate2 Issue(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256).CreateSelfSigned(now, now + Life);
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
