using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.Hosting.Certificates;
using Mesh.Hosting.Files;
using Mesh.Hosting.Processes;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.Hosting.Tests.Certificates;

/// <summary>Clocks are wrong at first starts, and are corrected: the API is reached all the same.</summary>
public sealed class ClusterAuthorityTests : IDisposable
{
    private static readonly DateTimeOffset Today = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly string _directory = TestDirectory.Make("mesh-ca-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string CertificatePath => Path.Combine(_directory, "ca.crt");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory(Timeout = 30_000)]
    [InlineData("2026-03-01T12:30:00Z")]
    [InlineData("2026-03-03T12:00:00Z")]
    [InlineData("2046-01-01T00:00:00Z")]
    [InlineData("2025-01-25T00:00:00Z")]
    [InlineData("1970-01-01T00:00:10Z")]
    public async Task Whatever_the_clock_said_at_the_first_start_the_next_is_reached_with_the_first_ones_kubeconfig(string first)
    {
        string trusted;
        var wrong = DateTimeOffset.Parse(first, System.Globalization.CultureInfo.InvariantCulture);
        using (var made = Open(wrong))
        {
            trusted = made.CertificatePem;
            Assert.Null(await Handshake.RefusalAsync(Serve(made, new Clock { Now = wrong }), trusted, wrong, Stop));
        }

        using var authority = Open(Today);

        Assert.Null(await Handshake.RefusalAsync(Serve(authority, new Clock { Now = Today }), trusted, Today, Stop));
        Assert.Equal(trusted, authority.CertificatePem);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(-0.05)]
    [InlineData(-2)]
    [InlineData(-390)]
    [InlineData(-3000)]
    [InlineData(300)]
    [InlineData(3000)]
    public async Task A_clock_that_is_set_while_running_costs_no_handshake(double days)
    {
        using var authority = Open(Today);
        var clock = new Clock { Now = Today };
        var serving = Serve(authority, clock);
        Assert.Null(await Handshake.RefusalAsync(serving, authority.CertificatePem, clock.Now, Stop));

        clock.Now += TimeSpan.FromDays(days);

        Assert.Null(await Handshake.RefusalAsync(serving, authority.CertificatePem, clock.Now, Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_client_whose_clock_is_a_year_behind_is_served_and_one_that_is_ten_years_ahead_refuses()
    {
        using var authority = Open(Today);
        var serving = Serve(authority, new Clock { Now = Today });

        Assert.Null(await Handshake.RefusalAsync(serving, authority.CertificatePem, Today.AddYears(-1), Stop));
        Assert.Contains("NotTimeValid", await Handshake.RefusalAsync(serving, authority.CertificatePem, Today.AddYears(10), Stop), StringComparison.Ordinal);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("2026-03-03T00:00:00Z", "2036-03-03T00:00:00Z")]
    [InlineData("1980-01-01T00:00:00Z", "1990-01-01T00:00:00Z")]
    [InlineData("2026-01-01T00:00:00Z", "2035-12-30T00:00:00Z")]
    public async Task An_authority_with_the_dates_of_a_clock_is_made_anew_with_its_key(string from, string to)
    {
        var old = Put("CN=mesh-ca", from, to);

        using var authority = Open(Today);

        var serving = Serve(authority, new Clock { Now = Today });
        Assert.Null(await Handshake.RefusalAsync(serving, authority.CertificatePem, Today, Stop));
        Assert.NotEqual(old, authority.CertificatePem);
        // Who holds the old one, in a copied kubeconfig, trusts what the new one signs, as far as the old one's own dates go.
        var whenOldIsValid = DateTimeOffset.Parse(from, System.Globalization.CultureInfo.InvariantCulture).AddDays(1);
        Assert.Null(await Handshake.RefusalAsync(Serve(authority, new Clock { Now = whenOldIsValid }), old, whenOldIsValid, Stop));
    }

    [Fact]
    public void An_authority_of_the_users_own_is_kept_and_signs_within_its_life()
    {
        Put("CN=our company", "2026-02-01T00:00:00Z", "2026-06-01T00:00:00Z");
        var before = File.ReadAllBytes(CertificatePath);

        using var authority = Open(Today);
        using var issued = Issue(authority, Today);
        using var early = Issue(authority, Today.AddYears(-5));
        using var late = Issue(authority, Today.AddYears(5));

        Assert.Equal(before, File.ReadAllBytes(CertificatePath));
        Assert.Equal("2026-02-01/2026-06-01", Life(issued));
        Assert.StartsWith("2026-02-01/", Life(early), StringComparison.Ordinal);
        Assert.EndsWith("/2026-06-01", Life(late), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-03-03T00:00:00Z", "2036-03-03T00:00:00Z")]
    [InlineData("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z")]
    public void An_authority_of_the_users_own_that_is_not_valid_now_is_a_refusal_that_names_dates_and_clock(string from, string to)
    {
        Put("CN=our company", from, to);

        var refused = Assert.Throws<StartRefusedException>(() => Open(Today));

        Assert.Contains($"is valid from {from[..10]} 00:00:00Z to {to[..10]} 00:00:00Z", refused.Message, StringComparison.Ordinal);
        Assert.Contains("clock says 2026-03-01 12:00:00Z", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_lives_no_longer_than_clients_allow()
    {
        using var authority = Open(Today);
        using var issued = Issue(authority, Today);
        Assert.True(issued.NotAfter - issued.NotBefore <= TimeSpan.FromDays(825));
    }

    private static ServingCertificate Serve(ClusterAuthority authority, TimeProvider clock) => new(now => Issue(authority, now), clock);

    private static X509Certificate2 Issue(ClusterAuthority authority, DateTimeOffset now) =>
        authority.IssueServer("mesh-api", ["localhost"], [IPAddress.Loopback], now);

    private static string Life(X509Certificate2 certificate) =>
        $"{certificate.NotBefore.ToUniversalTime():yyyy-MM-dd}/{certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}";

    private ClusterAuthority Open(DateTimeOffset now) => ClusterAuthority.Open(DataDirectory.Open(_directory), now);

    /// <summary>An authority with these dates in the data directory; its certificate.</summary>
    private string Put(string name, string from, string to)
    {
        var data = DataDirectory.Open(_directory);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var certificate = request.CreateSelfSigned(
            DateTimeOffset.Parse(from, System.Globalization.CultureInfo.InvariantCulture), DateTimeOffset.Parse(to, System.Globalization.CultureInfo.InvariantCulture));
        File.WriteAllText(data.At("ca.key"), key.ExportPkcs8PrivateKeyPem() + "\n");
        File.WriteAllText(data.At("ca.crt"), certificate.ExportCertificatePem() + "\n");
        return certificate.ExportCertificatePem();
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
