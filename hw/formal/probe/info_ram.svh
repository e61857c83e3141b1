	genvar formal_i;
	wire [(WIDTH)*((1 << LOG2))-1:0] probe;
	generate
		for (formal_i = 0; formal_i < (1 << LOG2); formal_i = formal_i + 1) begin : formal_word
			assign probe[(WIDTH)*formal_i +: WIDTH] = mem[formal_i];
		end
	endgenerate
