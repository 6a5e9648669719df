using System.Security.Cryptography;
using System.Text;
using Mesh.Core.Certificates;
using Mesh.Testing.Certificates;
using Xunit;

namespace Mesh.Core.Tests.Certificates;

/// <summary>Which Secrets a gateway can show.</summary>
public sealed class CertificateSecretTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Theory]
    [Trait("Row", "ING-T01")]
    [InlineData("kubernetes.io/tls", false)]
    [InlineData("kubernetes.io/tls", true)]
    [InlineData("Opaque", false)]
    [InlineData("", true)]
    public void A_pair_is_usable_with_its_whole_chain_whatever_its_algorithm(string type, bool isRsa)
    {
        var pair = isRsa ? _authority.IssueRsa(2048, "a.test", "*.b.test") : _authority.Issue("a.test", "*.b.test");
        var read = Assert.IsType<SecretCertificate.Usable>(Read(pair.Secret("default", "t", type)));

        Assert.Equal(["a.test", "*.b.test"], read.Names);
        Assert.Equal(pair.Chain + pair.Key, Encoding.ASCII.GetString(read.Certificate.Pem.Span));
    }

    [Fact]
    public void Nothing_else_of_what_the_Secret_holds_is_taken()
    {
        var pair = _authority.Issue("a.test");
        var chatty = pair with { Chain = "my password is hunter2\n" + pair.Chain, Key = "so is this\n" + pair.Key };
        var read = Assert.IsType<SecretCertificate.Usable>(Read(chatty.Secret("default", "t", "Opaque", "\"password\":\"aHVudGVyMg==\",")));

        Assert.Equal(pair.Chain + pair.Key, Encoding.ASCII.GetString(read.Certificate.Pem.Span));
        Assert.Equal("TlsCertificate", read.Certificate.ToString());
    }

    [Fact]
    [Trait("Row", "ING-T04")]
    public void A_chain_of_RSA_is_usable_and_what_signed_itself_is_whatever_its_hash()
    {
        Assert.IsType<SecretCertificate.Usable>(Read(_authority.IssueThrough(2048, HashAlgorithmName.SHA256, "a.test").Secret("default", "t")));
        Assert.IsType<SecretCertificate.Usable>(Read(_authority.IssueThrough(2048, HashAlgorithmName.SHA256, RSASignaturePadding.Pss, "a.test").Secret("default", "t")));
        Assert.IsType<SecretCertificate.Usable>(Read(TestAuthority.SelfSigned(HashAlgorithmName.SHA1, "a.test").Secret("default", "t")));
    }

    [Fact]
    [Trait("Row", "ING-T04")]
    public void What_is_wrong_is_told_without_a_word_of_the_Secret()
    {
        var (one, other) = (_authority.Issue("a.test"), _authority.Issue("a.test"));
        var rsa = _authority.IssueRsa(2048, "a.test");
        (string Secret, string Why)[] cases =
        [
            ("""{"kind":"Secret","type":"kubernetes.io/tls"}""", "has no tls.crt"),
            ($$$"""{"kind":"Secret","data":{"tls.crt":"{{{TestCertificate.Base64(one.Chain)}}}"} }""", "has no tls.key"),
            ("""{"kind":"Secret","data":{"tls.crt":"!!!","tls.key":"" } }""", "has no tls.crt"),
            ("""{"kind":"Secret","data":["tls.crt"] }""", "cannot be read"),
            (one.Secret("default", "t", "kubernetes.io/dockercfg"), "is neither of type"),
            ((one with { Chain = "secret words" }).Secret("default", "t"), "has no certificate in PEM in tls.crt"),
            ((one with { Chain = "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n" }).Secret("default", "t"), "is no certificate"),
            ((one with { Key = "secret words" }).Secret("default", "t"), "no private key in PEM"),
            ((one with { Key = rsa.Key }).Secret("default", "t"), "no private key in PEM, unencrypted and of the certificate's kind"),
            ((one with { Key = other.Key }).Secret("default", "t"), "another key than that of the first certificate"),
            ((one with { Chain = string.Join('\n', one.Chain.Split("-----END CERTIFICATE-----\n").Where(part => part.Length > 0).Reverse().Select(part => part + "-----END CERTIFICATE-----\n")) }).Secret("default", "t"), "another key"),
            (_authority.IssueRsa(1024, "a.test").Secret("default", "t"), "RSA key of 1024 bits: 2048 are the least"),
            (_authority.IssueWithPublicKey(1025, "a.test").Secret("default", "t"), "RSA key of 8200 bits, more than the 8192 that are served"),
            (_authority.IssueThrough(1024, HashAlgorithmName.SHA256, "a.test").Secret("default", "t"), "has in tls.crt, as number 2, a certificate with an RSA key of 1024 bits"),
            (_authority.IssueThrough(2048, HashAlgorithmName.SHA1, "a.test").Secret("default", "t"), "has in tls.crt, as number 1, a certificate that was signed with sha1RSA"),
            (_authority.IssueThrough(2048, HashAlgorithmName.MD5, "a.test").Secret("default", "t"), "has in tls.crt, as number 1, a certificate that was signed with md5RSA"),
            (_authority.IssueThrough(2048, HashAlgorithmName.SHA1, RSASignaturePadding.Pss, "a.test").Secret("default", "t"), "has in tls.crt, as number 1, a certificate that was signed with RSASSA-PSS over SHA-1"),
            ((one with { Chain = one.Chain + new string(' ', CertificateLimits.ChainBytes) }).Secret("default", "t"), $"more than the {CertificateLimits.ChainBytes} that are served"),
            ((one with { Key = one.Key + new string(' ', CertificateLimits.KeyBytes) }).Secret("default", "t"), $"more than the {CertificateLimits.KeyBytes} that are served"),
            ((one with { Chain = string.Concat(Enumerable.Repeat(one.Chain, 6)) }).Secret("default", "t"), "has 12 certificates in tls.crt"),
        ];

        foreach (var (secret, why) in cases)
        {
            var unusable = Assert.IsType<SecretCertificate.Unusable>(Read(secret));
            Assert.Contains(why, unusable.Why, StringComparison.Ordinal);
            Assert.DoesNotContain("secret words", unusable.Why, StringComparison.Ordinal);
            Assert.DoesNotContain("a.test", unusable.Why, StringComparison.Ordinal);
        }
    }

    [Theory]
    [Trait("Row", "ING-T07")]
    [InlineData("a.test", true)]
    [InlineData("A.Test", true)]
    [InlineData("x.b.test", true)]
    [InlineData("*.b.test", true)]
    [InlineData("b.test", false)]
    [InlineData("y.x.b.test", false)]
    [InlineData("*.test", false)]
    [InlineData("c.test", false)]
    public void A_name_is_covered_exactly_or_by_a_wildcard_of_one_label(string host, bool isCovered) =>
        Assert.Equal(isCovered, Assert.IsType<SecretCertificate.Usable>(Read(_authority.Issue("a.test", "*.b.test").Secret("default", "t"))).Covers(host));

    private static SecretCertificate Read(string secret) => CertificateSecret.Read(Json.Utf8(secret));
}
