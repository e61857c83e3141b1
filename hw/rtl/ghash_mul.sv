// SPDX-License-Identifier: Apache-2.0
// x * h in GF(2^128) as GCM defines it (NIST SP 800-38D, section 6.3), one product per clock, 4 clocks long:
// operands, nine 32 x 32 products (Karatsuba twice), their sum, reduction. No control: what goes in comes out.
//
// Bit 127 is the coefficient of x^0 (octet 0 of a block is bits 127:120, its first bit the lowest power).
`default_nettype none

module ghash_mul (
	input  wire         clk,
	input  wire [127:0] x,
	input  wire [127:0] h,
	output reg  [127:0] p
);
	// Carry-less 16 x 16 and, by Karatsuba, 32 x 32.
	function [30:0] clmul16(input [15:0] a, input [15:0] b);
		integer i;
		begin
			clmul16 = 31'h0;
			for (i = 0; i < 16; i = i + 1)
				clmul16 = clmul16 ^ ({15'h0, a & {16{b[i]}}} << i);
		end
	endfunction

	function [62:0] clmul32(input [31:0] a, input [31:0] b);
		reg [30:0] lo, hi, mid;
		begin
			lo  = clmul16(a[15:0], b[15:0]);
			hi  = clmul16(a[31:16], b[31:16]);
			mid = clmul16(a[15:0] ^ a[31:16], b[15:0] ^ b[31:16]) ^ lo ^ hi;
			clmul32 = {hi, 32'h0} ^ {16'h0, mid, 16'h0} ^ {32'h0, lo};
		end
	endfunction

	// 64 x 64 from its three 32 x 32 products.
	function [126:0] join64(input [62:0] lo, input [62:0] hi, input [62:0] both);
		join64 = {hi, 64'h0} ^ {32'h0, both ^ lo ^ hi, 32'h0} ^ {64'h0, lo};
	endfunction

	function [127:0] reverse(input [127:0] v);
		integer i;
		for (i = 0; i < 128; i = i + 1)
			reverse[i] = v[127 - i];
	endfunction

	// 1: operands, coefficient i in bit i from here on.
	reg [127:0] a, b;
	always @(posedge clk) begin
		a <= reverse(x);
		b <= reverse(h);
	end

	// 2: products of low, high and low + high halves, each again in three.
	wire [63:0] a_sum = a[63:0] ^ a[127:64];
	wire [63:0] b_sum = b[63:0] ^ b[127:64];
	reg [62:0] l_lo, l_hi, l_both, h_lo, h_hi, h_both, m_lo, m_hi, m_both;
	always @(posedge clk) begin
		l_lo   <= clmul32(a[31:0], b[31:0]);
		l_hi   <= clmul32(a[63:32], b[63:32]);
		l_both <= clmul32(a[31:0] ^ a[63:32], b[31:0] ^ b[63:32]);
		h_lo   <= clmul32(a[95:64], b[95:64]);
		h_hi   <= clmul32(a[127:96], b[127:96]);
		h_both <= clmul32(a[95:64] ^ a[127:96], b[95:64] ^ b[127:96]);
		m_lo   <= clmul32(a_sum[31:0], b_sum[31:0]);
		m_hi   <= clmul32(a_sum[63:32], b_sum[63:32]);
		m_both <= clmul32(a_sum[31:0] ^ a_sum[63:32], b_sum[31:0] ^ b_sum[63:32]);
	end

	// 3: the product, 255 bits.
	wire [126:0] low  = join64(l_lo, l_hi, l_both);
	wire [126:0] high = join64(h_lo, h_hi, h_both);
	wire [126:0] mid  = join64(m_lo, m_hi, m_both) ^ low ^ high;
	reg [254:0] product;
	always @(posedge clk)
		product <= {high, 128'h0} ^ {64'h0, mid, 64'h0} ^ {128'h0, low};

	// 4: modulo x^128 + x^7 + x^2 + x + 1. The upper part times x^7 + x^2 + x + 1 reaches 7 bits over; those
	// are folded once more.
	wire [127:0] up   = {1'b0, product[254:128]};
	wire [6:0]   over = up[127:121] ^ {5'h0, up[127:126]} ^ {6'h0, up[127]};
	wire [127:0] fold = up ^ {up[126:0], 1'b0} ^ {up[125:0], 2'b0} ^ {up[120:0], 7'h0};
	wire [127:0] rest = {114'h0, over, 7'h0} ^ {119'h0, over, 2'h0} ^ {120'h0, over, 1'h0} ^ {121'h0, over};
	always @(posedge clk)
		p <= reverse(product[127:0] ^ fold ^ rest);
endmodule

`default_nettype wire
